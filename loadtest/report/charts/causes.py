"""Chart of why disconnects were missed: a bar for each cell, its causes one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from loadtest.checks import dropped
from loadtest.checks.disconnects.account import account_of_all
from loadtest.checks.disconnects.causes import causes_of
from loadtest.checks.disconnects.table import TABLE
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.report.charts import encoding
from loadtest.report.charts.chart import BAND, Chart, Row, Spec, rounded
from loadtest.report.summary import Summary

CAUSE_COLOURS: Mapping[str, str] = {
    dropped.SEND_RAISED: "#CC6677",
    dropped.HANDLER_RAISED: "#AA4499",
    dropped.ENDED_SILENTLY: "#DDCC77",
    dropped.CONNECT_RUNNING: "#44AA99",
    dropped.HANDLER_BUSY: "#88CCEE",
    dropped.NOT_NOTICED: "#999933",
}
"""Of Paul Tol's muted scheme, told apart by colour-blind readers and unlike the consumers' colours."""

OTHER_COLOUR = "#8A8A8A"
"""For a cause of a later version, or one that was not recorded."""


def cause_chart(summary: Summary) -> Chart | None:
    """Missed disconnects of 1,000 drops by cause; None if none was missed."""
    evidence = summary.evidence
    rows = [row for cells in evidence.by_drop(TABLE) for row in _rows(cells, evidence)]
    if not rows:
        return None
    return Chart(
        name="causes",
        title="Missed disconnects of 1,000 drops, by cause",
        summary="Missed disconnects of 1,000 drops: a bar for each layer and consumer, its parts the causes.",
        spec=_bars(rows),
        columns={"band": "cell", "cause": "cause", "missed": "missed", "of": "dropped", "per 1,000": "missed_of_1000"},
    )


def cause_colours(summary: Summary) -> dict[str, str]:
    """The colour of each cause that there is in this run."""
    found = causes_of(summary.evidence.having(TABLE))
    return {cause: CAUSE_COLOURS.get(cause, OTHER_COLOUR) for cause in (*CAUSE_COLOURS, *found) if cause in found}


def _rows(cells: Sequence[Cell], evidence: Evidence) -> list[Row]:
    account = account_of_all(cells)
    return [
        {
            "band": evidence.place_and_consumer(cells[0].key, TABLE),
            "cause": cause,
            "missed": count,
            "of": account.dropped,
            "per 1,000": rounded(1000 * count / account.dropped),
        }
        for cause, count in causes_of(cells).most_common()
    ]


def _bars(rows: Sequence[Row]) -> Spec:
    causes = list(dict.fromkeys([*CAUSE_COLOURS, *(row["cause"] for row in rows)]))
    shown = [cause for cause in causes if any(row["cause"] == cause for row in rows)]
    scale = alt.Scale(domain=shown, range=[CAUSE_COLOURS.get(cause, OTHER_COLOUR) for cause in shown])
    bands = len({row["band"] for row in rows})
    values = [{**row, "order": shown.index(row["cause"])} for row in rows]
    spec: Spec = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar()
        .encode(
            y=alt.Y(field="band", type="nominal", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X(
                field="per 1,000",
                type="quantitative",
                title="missed of 1,000 drops",
                stack="zero",
                axis=alt.Axis(tickCount=5, format=",~f", labelOverlap=True),
            ),
            color=alt.Color(field="cause", type="nominal", scale=scale, legend=None),
            order=alt.Order(field="order", type="quantitative"),
            tooltip=encoding.tooltip("band", "cause", "missed", "of", "per 1,000"),
        )
        .properties(height=bands * (BAND + 8))
        .to_dict()
    )
    return spec
