"""deploy/prometheus and deploy/grafana against a real Prometheus that scrapes a real worker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Project, User, free_port
from tests.conftest import absent, eventually
from worker.errors import CATALOGUE

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus/alerts.yml"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboard.json").read_text())


@pytest.fixture(autouse=True)
def _prometheus() -> None:
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        absent("there is no Prometheus")


def test_each_alert_fires_on_its_fault_and_is_silent_without_it() -> None:
    folder = DEPLOY / "prometheus"
    for command in (
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "alerts_test.yml"],
    ):
        done = subprocess.run(
            ["promtool", *command], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
    tested = (folder / "alerts_test.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", RULES.read_text()):
        assert f"alertname: {alert}\n        exp_alerts:\n          - " in tested, alert


def test_the_alert_on_failures_covers_the_codes_that_are_ours() -> None:
    """Ours are those that the worker itself tries again, and what ended for good all the same."""
    (pattern,) = re.findall(r'code=~"([^"]+)"', RULES.read_text())
    ours = {code for code in CATALOGUE if re.fullmatch(pattern, code)}
    retried = {code for code, problem in CATALOGUE.items() if problem.retry}
    assert ours == retried | {"render_timeout"}


class Prometheus:
    """A Prometheus server with our rules, scraping every second."""

    def __init__(self, folder: Path, target: int) -> None:
        port = free_port()
        config = (DEPLOY / "prometheus/prometheus.yml").read_text()
        config = config.replace("localhost:8080", f"127.0.0.1:{target}").replace("15s", "1s")
        (folder / "prometheus.yml").write_text(config)
        shutil.copy(RULES, folder)
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=error",
            ]
        )
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10)

    def get(self, path: str, **parameters: str) -> Any:
        answer = self._http.get(path, params=parameters)
        answer.raise_for_status()
        return answer.json()["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.get("/query", query=expression)["result"]
        return found

    def is_up(self) -> bool:
        try:
            return bool(self.query("up == 1"))
        except httpx.HTTPError:  # not started yet
            return False

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture
def prometheus(project: Project, tmp_path: Path) -> Iterator[Prometheus]:
    port = free_port()
    project.start_worker(WORKER_HEALTH_PORT=str(port))
    folder = tmp_path / "prometheus"
    folder.mkdir()
    started = Prometheus(folder, port)
    yield started
    started.stop()


def test_every_alert_parses_and_every_panel_has_its_series(
    project: Project, user: User, clip: Path, prometheus: Prometheus
) -> None:
    eventually(prometheus.is_up, 60)
    eventually(lambda: prometheus.query("video_worker_queue_workers == 1"), 60)
    user.wait(user.send(clip))
    user.wait(user.send(b"no video"))
    eventually(lambda: prometheus.query('sum(video_worker_jobs_total{outcome="failed"}) == 1'), 60)

    def rules() -> list[Any]:
        (group,) = prometheus.get("/rules")["groups"]
        found: list[Any] = group["rules"]
        return found

    eventually(lambda: all(rule["health"] == "ok" for rule in rules()), 60)
    assert len(rules()) == RULES.read_text().count("alert:")
    assert [rule["name"] for rule in rules() if rule["state"] == "firing"] == []

    targets = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
    assert len(targets) > 20
    for target in targets:
        expression = target["expr"].replace("$__rate_interval", "1m")
        series = prometheus.query(expression)
        assert series, expression
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
            assert all(label in one["metric"] for one in series), expression
