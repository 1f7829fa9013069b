"""The page in headless Chromium: no console error, every chart drawn with data, in both themes and on a phone."""

import json
import re
import shutil
import subprocess

import pytest

from coordinator.reports.page.data import bot_page_data
from coordinator.reports.page.run_view import read_run
from coordinator.reports.page.write import write_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

# What the page says of itself once everything is drawn, for --dump-dom.
PROBE = """
<script>
addEventListener("error", (event) => { (window.problems ??= []).push(event.message); });
setInterval(() => {
  if (document.documentElement.dataset.drawn !== "true" || document.getElementById("probe")) return;
  const filled = (value) => value && value.length > 0 && [...value].some((item) => item !== null && item === item);
  const charts = [...document.querySelectorAll("[data-figure]")].map((element) => ({
    name: element.dataset.figure,
    traces: (element.data ?? []).filter((t) => filled(t.y) || filled(t.z) || filled(t.close) || filled(t.x)).length,
    width: element.getBoundingClientRect().width,
    drawn: element.querySelectorAll(".main-svg").length,
    ink: element._fullLayout?.font.color,
    raw: JSON.stringify([element.data, element.layout]).includes("var(--"),
  }));
  if (!window.first) {
    window.first = charts;
    const pair = document.getElementById("pair");
    pair.value = "candles-1";
    pair.dispatchEvent(new Event("change"));
    document.getElementById("theme").click();
    return;
  }
  const probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = JSON.stringify({
    charts: window.first, toggled: charts, problems: window.problems ?? [],
    wide: document.documentElement.scrollWidth, window: innerWidth,
  });
  document.body.append(probe);
}, 50);
</script>
"""


@pytest.fixture
def look(bot_ledger, bot_candles, tmp_path):
    """Opens a bot's page in a window of some width; what it found, and what the console said."""
    data = bot_page_data(read_run(bot_ledger(), candles=bot_candles), bot_candles)
    page = write_report(data, tmp_path / "page.html")
    text = page.read_text("utf-8")
    page.write_text(text.replace("</title>", f"</title>{PROBE}", 1), "utf-8")

    def open_page(width: int, dark: bool = False):
        command = [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={tmp_path / f'profile-{width}-{dark}'}", "--virtual-time-budget=20000",
            f"--window-size={width},2000", "--enable-logging=stderr", "--v=0", "--dump-dom",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}", page.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found, done.stderr[-2000:]
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return json.loads(found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")), console

    return open_page


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (500, True)])
def test_every_chart_has_data_and_nothing_is_said_on_the_console(look, width, dark):
    found, console = look(width, dark)
    assert console == []
    assert found["problems"] == []
    assert len(found["charts"]) > 20
    light, night = "#1f2933", "#e6edf3"
    for chart in found["charts"]:
        assert chart["traces"] > 0, chart
        assert chart["drawn"] > 0, chart
        assert 200 < chart["width"] <= width, chart
        assert not chart["raw"], chart  # every colour of the theme was put in
        assert chart["ink"] == (night if dark else light)
    # The button changes the theme, the list of pairs the candles.
    assert {chart["ink"] for chart in found["toggled"]} == {light if dark else night}
    assert {chart["name"] for chart in found["toggled"]} - {c["name"] for c in found["charts"]} == {
        "candles-1"
    }
    assert found["wide"] <= found["window"]  # wide tables scroll in their own box
