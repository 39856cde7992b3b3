"""The topics of the tool's own findings; a check may bring one of its own."""

from typing import Final

from loadtest.figures.finding import Topic

STOOD_STILL: Final = Topic(name="stood still", title="Servers that stood still", rank=0, place=5)
DISCONNECTS: Final = Topic(name="disconnects", title="Dropped connections", rank=10, place=10)
LEFT_BEHIND: Final = Topic(name="left behind", title="Left behind", rank=70, place=20)
GUARDS: Final = Topic(name="guards", title="What a guard buys", rank=30, place=30)
UNEXPECTED: Final = Topic(name="unexpected", title="Connections nobody dropped", rank=20, place=40)
DELIVERY: Final = Topic(name="delivery", title="Messages delivered and lost", rank=40, place=50)
DETECTION: Final = Topic(name="detection", title="How fast a drop reached disconnect()", rank=80, place=60)
THROUGHPUT: Final = Topic(name="throughput", title="Messages a second", rank=50, place=70)
LATENCY: Final = Topic(name="latency", title="Latency", rank=60, place=80)
COST: Final = Topic(name="cost", title="Server CPU", rank=90, place=90)
CODES: Final = Topic(name="codes", title="Codes disconnect() got", rank=100, place=100)
RUN: Final = Topic(name="run", title="Trials that failed or do not count", rank=110, place=110)
