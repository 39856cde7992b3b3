"""The table throughput.csv: its columns, as the handles by which they are asked for."""

from collections import Counter
from functools import partial

from loadtest.figures.column import Column
from loadtest.figures.table import Figures, Table

_column = partial(Column, table="throughput")

USERS = _column(
    name="users",
    unit="connections",
    dtype=int,
    meaning="WebSockets open at a time, as planned",
    over_trials="median",
)
SENT = _column(
    name="sent",
    unit="messages",
    dtype=int,
    meaning="messages the clients sent in the steady window",
    over_trials="median",
)
RECEIVED = _column(
    name="received",
    unit="messages",
    dtype=int,
    meaning="messages the clients received in the steady window",
    over_trials="median",
)
DURATION_S = _column(
    name="duration_s", unit="s", dtype=float, meaning="length of the steady window", over_trials="median"
)
MESSAGES_PER_S = _column(
    name="messages_per_s",
    unit="messages/s",
    dtype=float,
    meaning="messages received a second in the steady window",
    better="higher",
    over_trials="median",
)

_demand = partial(_column, dtype=int, over_trials="median", since=5)

OFFERED = _demand(
    name="offered",
    unit="messages",
    meaning="messages that the plan had due in the steady window, sent or not; without a rate those that were sent",
)
ANSWERED = _demand(
    name="answered",
    unit="messages",
    meaning="of these, those that came, in the end, to every member they were meant for; of an echo: that came back",
    better="higher",
)
BACKLOG = _demand(
    name="backlog",
    unit="messages",
    meaning="deliveries that were due and still under way when the steady window ended, and messages due and not sent",
    better="lower",
)
OVERLOADED = _column(
    name="overloaded",
    dtype=str,
    values=("yes", "no"),
    meaning='"yes" where the server was asked for more than it could do: even its fastest message of the last third of '
    "the window waited 100 ms in a queue, or a quarter of what was due was still under way at the end",
    since=5,
)
LATE_MS_P99 = _column(
    name="late_ms_p99",
    unit="ms",
    dtype=float,
    meaning="from the planned time to the sending, p99: the generator's lateness, or that of the answer a user awaited",
    better="lower",
    over_trials="median",
    since=5,
    of=(SENT,),
)
WATCHED_MS = _column(
    name="watched_ms",
    unit="ms",
    dtype=float,
    meaning="how long what never came was waited for; empty where everything came",
    over_trials="median",
    may_not_apply=True,
    since=5,
)

_latency = partial(
    _column, unit="ms", dtype=float, better="lower", over_trials="median", of=(OFFERED,), beyond=WATCHED_MS
)

LATENCY_MS_P50 = _latency(name="latency_ms_p50", meaning="latency, median: half of the messages came within it")
LATENCY_MS_P90 = _latency(name="latency_ms_p90", meaning="latency, p90: 9 of 10 messages came within it")
LATENCY_MS_P99 = _latency(name="latency_ms_p99", meaning="latency, p99: 99 of 100 messages came within it")
LATENCY_MS_P999 = _latency(name="latency_ms_p999", meaning="latency, p99.9: 999 of 1,000 messages came within it")
LATENCY_MS_MAX = _latency(name="latency_ms_max", meaning="latency of the slowest message")
LATENCY_FROM_SEND_MS_P50 = _latency(
    name="latency_from_send_ms_p50", meaning="latency from the real sending on, median", since=5
)
LATENCY_FROM_SEND_MS_P99 = _latency(
    name="latency_from_send_ms_p99", meaning="latency from the real sending on, p99", since=5
)

SERVER_CPU_S = _column(
    name="server_cpu_s",
    unit="s",
    dtype=float,
    meaning="CPU time of all server processes in the steady window",
    better="lower",
    over_trials="median",
)
SERVER_RSS_MB = _column(
    name="server_rss_mb",
    unit="MB",
    dtype=float,
    meaning="most resident memory of all server processes",
    better="lower",
    over_trials="median",
)
GENERATOR_CPU_S = _column(
    name="generator_cpu_s",
    unit="s",
    dtype=float,
    meaning="CPU time of the load generator in the steady window",
    over_trials="median",
)
BROKER_CPU_S = _column(
    name="broker_cpu_s",
    unit="s",
    dtype=float,
    meaning="CPU time of the layer's broker (Valkey or Redis) in the steady window; empty where none was sampled",
    better="lower",
    over_trials="median",
    may_not_apply=True,
    since=4,
)
CPU_WAIT_S = _column(
    name="cpu_wait_s",
    unit="s",
    dtype=float,
    meaning="how long threads of the server were ready to run and had no CPU in the steady window, summed over them",
    over_trials="median",
    since=5,
)
INVOLUNTARY_SWITCHES = _column(
    name="involuntary_switches",
    dtype=int,
    meaning="how often a CPU was taken from a thread of the server that could have gone on, in the steady window",
    over_trials="median",
    since=5,
)
GENERATOR_WAIT_S = _column(
    name="generator_wait_s",
    unit="s",
    dtype=float,
    meaning="how long threads of the load generator were ready to run and had no CPU in the steady window",
    over_trials="median",
    since=5,
)
FOREIGN_CPU = _column(
    name="foreign_cpu",
    unit="share of a core",
    dtype=float,
    meaning="CPU that processes which are none of ours used of the CPUs that ours may use, in the steady window",
    over_trials="median",
    since=5,
)
CONTENTION = _column(
    name="contention",
    unit="share of the window",
    dtype=float,
    meaning="how long server, generator or broker waited for a CPU because of other processes, at most",
    over_trials="median",
    since=5,
)
STEAL = _column(
    name="steal",
    unit="share of a core",
    dtype=float,
    meaning="CPU that was wanted and went to other virtual machines, in the steady window",
    over_trials="median",
    since=5,
)
THROTTLED_S = _column(
    name="throttled_s",
    unit="s",
    dtype=float,
    meaning="how long a CPU quota of the control group held us back in the steady window; empty where there is none",
    over_trials="median",
    may_not_apply=True,
    since=5,
)
_busy = partial(_column, dtype=float, over_trials="median", since=5)

UTILISATION = _busy(
    name="utilisation", meaning="the largest of loop_busy, sync_thread_busy and the broker's CPU time a second, 0 to 1"
)
LOOP_BUSY = _busy(
    name="loop_busy",
    meaning="share of the steady window in which the server's event loop was at work; of several workers the busiest's",
)
SYNC_THREAD_BUSY = _busy(
    name="sync_thread_busy",
    meaning="the same of the thread that the sync consumers of a process share: in calls, waiting ones too",
)
EXPOSURE = _busy(
    name="exposure",
    meaning="share of the open connections that would have missed their disconnect, had their client gone at a random "
    "moment: their consumer was in the midst of a message and then sent; known without any drop",
    better="lower",
)
STALLS = _column(
    name="stalls",
    dtype=int,
    meaning="times the server's event loop served nobody for 100 ms or longer",
    better="lower",
    over_trials="median",
)
STALLED_MS = _column(
    name="stalled_ms",
    unit="ms",
    dtype=float,
    meaning="how long these were together",
    better="lower",
    over_trials="median",
)
STOOD_STILL_MS = _column(
    name="stood_still_ms",
    unit="ms",
    dtype=float,
    meaning="how long a process of the server had served nobody at the end of the trial, and did not go on; 0: all of "
    "them went on",
    better="lower",
    over_trials="median",
    since=6,
)
ENDED_UNEXPECTEDLY = _column(
    name="ended_unexpectedly",
    unit="connections",
    dtype=int,
    meaning="connections that the server ended, in the whole trial, though the client had not dropped or closed them",
    better="lower",
    over_trials="total",
    formerly=("ended_unasked",),
)
UNEXPECTED_EXAMPLE = _column(
    name="unexpected_example",
    dtype=str,
    meaning="one of these as `channels-loadtest show` takes it",
    of=(ENDED_UNEXPECTEDLY,),
    since=2,
    formerly=("unasked_example",),
)
OPEN_FAILED = _column(
    name="open_failed",
    unit="connections",
    dtype=int,
    meaning="connections that could not be opened, in the whole trial; not those dropped while they opened",
    better="lower",
    over_trials="total",
    since=4,
)
OPEN_FAILURES = _column(
    name="open_failures",
    dtype=Counter,
    meaning='why they could not, and how often, "open timeout:2; refused 403:1"',
    of=(OPEN_FAILED,),
    since=4,
)
PUSH_FAILED = _column(
    name="push_failed",
    unit="messages",
    dtype=int,
    meaning="pushes (--push) that the app refused or did not answer, or whose command failed, in the whole trial",
    better="lower",
    over_trials="total",
    may_not_apply=True,
    since=5,
)
PUSH_FAILURES = _column(
    name="push_failures",
    dtype=Counter,
    meaning='what came back instead, and how often, "HTTP 503 Service Unavailable:2; no answer:1"',
    of=(PUSH_FAILED,),
    since=5,
)
VALID = _column(
    name="valid",
    dtype=str,
    meaning='"yes", or "no": the generator or the machine was the limit, not the server',
    values=("yes", "no"),
    never_empty=True,
)


def _per_1000(cpu_s: Column[float], figures: Figures) -> float | None:
    used, received = figures[cpu_s], figures[RECEIVED]
    if not isinstance(used, float) or not isinstance(received, int) or received == 0:
        return None
    return used * 1000 / received * 1000


CPU_PER_1000 = _column(
    name="server_cpu_ms_per_1000_messages",
    unit="ms",
    dtype=float,
    meaning="CPU time of the server for 1,000 messages received",
    better="lower",
    over_trials="median",
    of=(RECEIVED,),
)
BROKER_CPU_PER_1000 = _column(
    name="broker_cpu_ms_per_1000_messages",
    unit="ms",
    dtype=float,
    meaning="CPU time of the broker for 1,000 messages received",
    better="lower",
    over_trials="median",
    may_not_apply=True,
)

TABLE = Table(
    name="throughput",
    meaning="How much was carried, how late it came, and what it cost.",
    row="one trial",
    figures=(
        USERS,
        OFFERED,
        SENT,
        ANSWERED,
        BACKLOG,
        OVERLOADED,
        RECEIVED,
        DURATION_S,
        MESSAGES_PER_S,
        LATENCY_MS_P50,
        LATENCY_MS_P90,
        LATENCY_MS_P99,
        LATENCY_MS_P999,
        LATENCY_MS_MAX,
        LATENCY_FROM_SEND_MS_P50,
        LATENCY_FROM_SEND_MS_P99,
        WATCHED_MS,
        LATE_MS_P99,
        SERVER_CPU_S,
        SERVER_RSS_MB,
        GENERATOR_CPU_S,
        BROKER_CPU_S,
        CPU_WAIT_S,
        INVOLUNTARY_SWITCHES,
        GENERATOR_WAIT_S,
        FOREIGN_CPU,
        CONTENTION,
        STEAL,
        THROTTLED_S,
        UTILISATION,
        LOOP_BUSY,
        SYNC_THREAD_BUSY,
        EXPOSURE,
        STALLS,
        STALLED_MS,
        STOOD_STILL_MS,
        ENDED_UNEXPECTEDLY,
        UNEXPECTED_EXAMPLE,
        OPEN_FAILED,
        OPEN_FAILURES,
        PUSH_FAILED,
        PUSH_FAILURES,
        VALID,
    ),
    derived={
        CPU_PER_1000: partial(_per_1000, SERVER_CPU_S),
        BROKER_CPU_PER_1000: partial(_per_1000, BROKER_CPU_S),
    },
)
