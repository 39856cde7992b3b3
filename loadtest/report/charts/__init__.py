"""The page's charts as Vega-Lite specifications, made by Altair: one file a family of charts."""

from loadtest.report.charts.causes import cause_chart, cause_colours
from loadtest.report.charts.chart import COLOURS, Chart, palette_of
from loadtest.report.charts.curves import curve_charts
from loadtest.report.charts.detection import detection_charts
from loadtest.report.charts.overview import overview_charts
from loadtest.report.charts.speed import latency_charts, throughput_charts
from loadtest.report.charts.timeline import timeline_charts

__all__ = [
    "COLOURS",
    "Chart",
    "cause_chart",
    "cause_colours",
    "curve_charts",
    "detection_charts",
    "latency_charts",
    "overview_charts",
    "palette_of",
    "throughput_charts",
    "timeline_charts",
]
