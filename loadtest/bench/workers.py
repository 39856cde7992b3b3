"""Workers: how many processes a server runs, and what several of them need: a server that can, a layer that connects
them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from loadtest.dimensions import LAYER, WORKERS, CellKey
from loadtest.layers import find_layer
from loadtest.load import by_comma
from loadtest.servers import find_server

MOST: Final = 64
"""More than any machine here has CPUs for."""

Workers = Annotated[
    tuple[Annotated[int, Field(ge=1, le=MOST)], ...],
    BeforeValidator(by_comma),
    AfterValidator(lambda counts: tuple(dict.fromkeys(counts))),
]
"""Numbers of server processes, given as a list or by comma."""


def check_workers(counts: tuple[int, ...], *, servers: Iterable[str], layers: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers if the servers can run so many processes, and a layer connects them; raises ValueError."""
    if not counts:
        raise ValueError("name at least one number of processes")
    limits = [(name, find_server(name).max_workers) for name in servers]
    if too_few := [f"{name} runs {most}" for name, most in limits if most is not None and max(counts) > most]:
        raise ValueError(f"{', '.join(too_few)} at most, got {max(counts)}; leave the server or the number out")
    if layers and min(counts) > 1 and not any(find_layer(name).crosses_processes for name in layers):
        raise ValueError(f"{', '.join(layers)} stays inside one process; {max(counts)} workers need another layer")
    return counts


def are_connected(cell: CellKey) -> bool:
    """Tell whether a cell's processes, if there are several, hear of each other's messages."""
    return cell[WORKERS] == 1 or find_layer(cell[LAYER]).crosses_processes


def left_out(counts: Iterable[int], layers: Iterable[str]) -> Iterator[str]:
    """Yield the note on what is not measured because of that, where something is not."""
    alone = [name for name in layers if not find_layer(name).crosses_processes]
    several = [str(count) for count in counts if count > 1]
    if alone and several:
        where = f"the layer {', '.join(alone)} stays inside one process"
        yield f"{where}, and was left out with {', '.join(several)} workers"
