"""A receiver of OpenTelemetry's metrics over HTTP (OTLP/HTTP, protobuf), as a collector is one."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

EXPORT_EVERY_MS = 300


class OtlpReceiver:
    """Listens on a port of loopback, and keeps what it was sent."""

    def __init__(self) -> None:
        self._requests: list[Any] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def environment(self) -> dict[str, str]:
        """OpenTelemetry's own variables, with which `locust --otel` sends its metrics here, and nothing else."""
        return {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_METRIC_EXPORT_INTERVAL": str(EXPORT_EVERY_MS),
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }

    def counts(self, metric: str, attribute: str) -> dict[str, int]:
        """Return how many samples a histogram has had by one attribute, as it was sent last."""
        return {name: point.count for name, point in self._last(metric, attribute).items()}

    def sums(self, metric: str, attribute: str) -> dict[str, float]:
        """Return the sums of its samples."""
        return {name: point.sum for name, point in self._last(metric, attribute).items()}

    def gauges(self, metric: str) -> set[float]:
        """Return every value that a gauge has had."""
        return {point.as_int or point.as_double for found in self._named(metric) for point in found.gauge.data_points}

    def _last(self, metric: str, attribute: str) -> dict[str, Any]:
        """Return the last data point by the value of an attribute: they are cumulative."""
        return {
            next(one.value.string_value for one in point.attributes if one.key == attribute): point
            for found in self._named(metric)
            for point in found.histogram.data_points
        }

    def _named(self, metric: str) -> list[Any]:
        return [
            found
            for request in self._requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for found in scope.metrics
            if found.name == metric
        ]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        requests = self._requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                requests.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
