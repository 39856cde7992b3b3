"""The columns are the contract of the results folder: names, order, units."""

from loadtest.report.columns import KEY_NAMES, TABLES, describe


def test_key_columns_come_first_in_every_table() -> None:
    for table in TABLES.values():
        assert tuple(c.name for c in table.columns)[: len(KEY_NAMES)] == KEY_NAMES
    assert KEY_NAMES == ("server", "workers", "layer", "consumer", "scenario", "drop", "load", "trial")


def test_columns_of_each_table_are_those_promised() -> None:
    promised = {
        "throughput": "users offered sent answered backlog overloaded received duration_s messages_per_s "
        "latency_ms_p50 latency_ms_p90 latency_ms_p99 latency_ms_p999 latency_ms_max "
        "latency_from_send_ms_p50 latency_from_send_ms_p99 watched_ms late_ms_p99 server_cpu_s "
        "server_rss_mb generator_cpu_s broker_cpu_s cpu_wait_s involuntary_switches generator_wait_s foreign_cpu "
        "contention steal throttled_s utilisation loop_busy sync_thread_busy exposure stalls "
        "stalled_ms stood_still_ms ended_unexpectedly unexpected_example open_failed open_failures push_failed "
        "push_failures valid",
        "drops": "connection t_s age_s verdict cause noticed_ms detect_ms watched_ms code returned raised ended_by "
        "ended_ms task_left group_left queue_left subscription_left presence_left",
        "disconnects": "dropped disconnect_called missed unknown missed_share missed_share_low missed_share_high "
        "exposure detect_ms_p50 detect_ms_p99 detect_ms_max detect_error_ms codes groups_left tasks_left "
        "presence_left never_reached noticed returned raised queues_left subscriptions_left causes example",
        "delivery": "expected delivered lost duplicated reordered offline unknown edge joining deaf lost_example "
        "deaf_example first_ms_p50 first_ms_p99 median_ms_p50 median_ms_p99 last_ms_p50 last_ms_p99 skew_ms_p50 "
        "skew_ms_p99",
        "residue": "kind before after left example",
        "timeline": "t_s open_sockets sent received dropped latency_ms_p50 latency_ms_max server_cpu_percent "
        "server_rss_mb generator_cpu_percent",
        "unknown": "column why",
    }
    assert {name: " ".join(c.name for c in table.figures) for name, table in TABLES.items()} == promised


def test_describe_names_every_file_and_column_once_in_its_section() -> None:
    text = describe()
    for table in TABLES.values():
        section = text.split(f"### `{table.file}`")[1].split("###")[0]
        for column in table.figures:
            assert section.count(f"| `{column.name}` |") == 1


def test_unit_stands_last_in_the_name_of_times_and_sizes() -> None:
    for table in TABLES.values():
        for column in table.figures:
            if column.unit in ("ms", "MB", "%", "s"):
                mark = {"ms": "_ms", "MB": "_mb", "%": "_percent", "s": "_s"}[column.unit]
                assert mark in column.name
