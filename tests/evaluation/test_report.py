"""What an evaluation says of made-up accounts, in words, in Markdown and on the page."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from coordinator.reports.evaluation.luck import evaluation_luck, noise_controls, random_controls
from coordinator.reports.evaluation.markdown import evaluation_markdown
from coordinator.reports.evaluation.page import write_evaluation_page
from coordinator.reports.evaluation.picture import evaluation_picture
from coordinator.reports.evaluation.summary import summary_lines
from coordinator.reports.evaluation.tables import evaluation_tables
from coordinator.reports.evaluation.targets import (
    CONTRIBUTIONS,
    TARGETS,
    contribution_rows,
    false_share,
    target_rows,
)

from .conftest import made_account


def test_the_words(made_evaluation):
    text = "\n".join(summary_lines(made_evaluation))
    for words in (
        "ML as configured: MLCoordinator makes the account of TechnicalBaseline. It had a say in 50% of the signals, "
        "20% on average, 30% at the end.",
        "If it need not earn it: ML at 70 %, unearned less TechnicalBaseline: +36.50% a year (+36.50% to +36.50%): "
        "better; Sharpe ratio +",
        "Noise that had to earn its say got one in 3 of 4 seeds.",
        "in Sharpe ratio, 100% in profit.",
        "beyond noise better: DCA; worse: hedge; the others' intervals hold 0.",
        "Deflated Sharpe ratio of TechnicalBaseline among 8 variants here: ",
        "Documented targets met by ML: ",
    ):
        assert words in text, words


def test_noise_and_random_controls(made_evaluation):
    noise, random = noise_controls(made_evaluation), random_controls(made_evaluation)
    assert len(noise.unearned) == len(noise.earned) == 4 and noise.said == 3
    ratios = [made_evaluation.accounts[f"noise {seed}"].figures.sharpe for seed in range(4)]
    assert noise.unearned == pytest.approx(ratios)
    assert random.exposure == pytest.approx(np.full(10, 0.2)) and len(random.profit) == 10


def test_luck_counts_each_choice_and_no_control(made_evaluation):
    luck = evaluation_luck(made_evaluation, ("TechnicalBaseline",))
    # Two accounts, one say, two components, three parts; buying and holding is no choice, the refused one is none.
    assert luck.variants == 8
    more = evaluation_luck(dataclasses.replace(made_evaluation, tried=1000), ("TechnicalBaseline",))
    assert more.deflated["TechnicalBaseline"] < luck.deflated["TechnicalBaseline"]


def test_targets_are_judged_by_their_numbers():
    base, ml = (
        made_account("b", 0.0),
        made_account("m", 0.002, false_signals=3, profits=(10.0,) * 8 + (-1.0,) * 2),
    )
    rows = {(row.source, row.label): row for row in target_rows(base, ml)}
    assert rows["001, rolling metrics", "win rate above 52 %"].verdict == "met"
    assert rows["004", "win rate 78 to 83 %"].verdict == "met"
    assert rows["004", "win rate 78 to 83 %"].ml == 0.8
    fewer = rows["004", "false signals 25 to 35 % fewer"]
    assert fewer.ml == pytest.approx(-0.25) and fewer.verdict == "met"
    assert false_share(ml) == 0.3  # three of the ten that were accepted
    just = made_account("j", profits=(10.0,) * 78 + (-1.0,) * 22)
    reached = {(row.source, row.label): row.verdict for row in target_rows(base, just)}
    assert reached["004", "win rate 78 to 83 %"] == "met"
    gain = rows["004", "profit 18 to 25 % above the baseline's"]
    ours, own = base.figures.profit, ml.figures.profit
    assert gain.ml == pytest.approx((own - ours) / abs(ours)) and gain.baseline == 0.0
    worse = {(row.source, row.label): row for row in target_rows(ml, base)}
    assert worse["004", "win rate 78 to 83 %"].verdict == "not met"


def test_the_documented_numbers_of_the_targets():
    numbers = {}
    for target in TARGETS:
        numbers.setdefault(target.source, []).append((target.figure, target.low, target.below))
    assert numbers == {
        "001, rolling metrics": [
            ("win_rate", 0.52, False),
            ("sharpe", 1.5, False),
            ("profit_factor", 1.8, False),
            ("max_drawdown", 0.05, True),
        ],
        "001, pilot": [("win_rate", 0.51, False), ("sharpe", 1.35, False), ("gain", 0.02, False)],
        "001, expansion": [("win_rate", 0.52, False), ("sharpe", 1.4, False), ("gain", 0.05, False)],
        "001, optimization": [
            ("win_rate", 0.54, False),
            ("sharpe", 1.6, False),
            ("profit_factor", 1.8, False),
            ("gain", 0.15, False),
        ],
        "001, months 3 and 4": [("win_rate", 0.52, False), ("sharpe", 1.5, False), ("gain", 0.1, False)],
        "001, from month 6": [
            ("win_rate", 0.55, False),
            ("sharpe", 1.8, False),
            ("profit_factor", 2.0, False),
            ("gain", 0.2, False),
        ],
        "004": [
            ("win_rate", 0.78, False),
            ("sharpe", 2.5, False),
            ("max_drawdown", 0.13, True),
            ("profit_factor", 1.9, False),
            ("gain", 0.18, False),
            ("false_signals", -0.25, True),
        ],
    }


def test_the_documented_numbers_of_the_contributions():
    numbers = {}
    for hope in CONTRIBUTIONS:
        numbers.setdefault(hope.source, []).append((hope.figure, hope.low, hope.relative, hope.below))
    assert numbers == {
        "004, LSTM": [
            ("win_rate", 0.03, False, False),
            ("sharpe", 0.2, False, False),
            ("false_signals", -0.10, True, True),
        ],
        "004, fusion": [
            ("win_rate", 0.05, False, False),
            ("sharpe", 0.3, False, False),
            ("max_drawdown", -0.15, True, True),
            ("false_signals", -0.20, True, True),
        ],
        "004, Q-learning": [("sharpe", 0.15, False, False)],
        "004, adaptive exits": [
            ("average_profit", 0.15, True, False),
            ("win_rate", 0.02, False, False),
            ("max_drawdown", -0.15, True, True),
        ],
    }


def test_contributions_are_judged_by_their_numbers():
    whole = made_account("ML at 70 %, unearned", 0.002, profits=(1.0,) * 6 + (-1.0,) * 4, false_signals=7)
    without = made_account("without fusion", 0.0, profits=(1.0,) * 5 + (-1.0,) * 5, false_signals=9)
    rows = {row.label: row for row in contribution_rows({run.name: run for run in (whole, without)})}
    assert {row.source for row in rows.values()} == {"004, fusion"}  # of the others no account is there
    won = rows["win rate 5 to 7 points higher"]
    assert (won.baseline, won.ml, won.verdict) == (0.5, 0.6, "met")
    fewer = rows["false signals 20 to 30 % fewer"]
    assert (fewer.baseline, fewer.ml, fewer.verdict) == (0.9, 0.7, "met")
    better = rows["Sharpe ratio .3 to .5 higher"]
    assert better.ml - better.baseline == pytest.approx(whole.figures.sharpe - without.figures.sharpe)
    back = {
        row.label: row
        for row in contribution_rows({"ML at 70 %, unearned": without, "without fusion": whole})
    }
    assert {row.verdict for row in back.values()} == {"not met"}
    few = [
        made_account(name, false_signals=n)
        for name, n in (("ML at 70 %, unearned", 4), ("without fusion", 5))
    ]
    rows = {row.label: row for row in contribution_rows({run.name: run for run in few})}
    assert rows["false signals 20 to 30 % fewer"].verdict == "met"  # just a fifth, ten points
    exits = [
        made_account(name, profits=profits)
        for name, profits in (("all adaptive exits", (3.0, -1.0)), ("TechnicalBaseline", (1.0, 1.0, 0.0)))
    ]
    rows = {row.label: row for row in contribution_rows({run.name: run for run in exits})}
    traded = rows["profit of a trade 15 to 20 % higher"]
    assert (traded.source, traded.baseline, traded.ml, traded.verdict) == (
        "004, adaptive exits",
        2 / 3,
        1.0,
        "met",
    )
    assert rows["win rate 2 to 3 points higher"].verdict == "not met"


def test_contributions_compare_accounts_that_an_evaluation_makes():
    names = {(hope.source, hope.whole, hope.without) for hope in CONTRIBUTIONS}
    unearned = "ML at 70 %, unearned"
    assert names == {
        ("004, LSTM", unearned, "without lstm"),
        ("004, fusion", unearned, "without fusion"),
        ("004, Q-learning", unearned, "without selector"),
        ("004, adaptive exits", "all adaptive exits", "TechnicalBaseline"),
    }


def test_markdown_and_page_hold_the_same_tables(made_evaluation, tmp_path):
    text = evaluation_markdown(made_evaluation)
    page = write_evaluation_page(made_evaluation, tmp_path / "page.html").read_text()
    tables = evaluation_tables(made_evaluation)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        table.title for table in tables
    ]
    assert {table.title for table in tables} >= {
        "Accounts", "Each component off, and alone", "Controls", "Documented targets", "By year",
        "By state of the market", "Random entries", "Begun later", "Not run", "Twice the fee",
        "Skill of each component, and of its controls",
    }  # fmt: skip
    for table in tables:
        assert table.title in page
        for row in table.rows:
            assert len(row) == len(table.head), table.title
            assert all(cell.replace("'", "&#39;") in page for cell in row), row
    assert "default-src 'none'" in page  # it works offline
    for name in ("accounts", "drawdowns", "improvements", "components", "random", "noise"):
        assert f'data-figure="{name}"' in page


def test_a_row_says_what_it_is_compared_with_where_that_is_not_the_baseline(made_evaluation):
    named = {"DCA": "DCA, less MLCoordinator", "hedge": "hedge"}
    against = {**made_evaluation.against, "DCA": "MLCoordinator"}
    tables = evaluation_tables(dataclasses.replace(made_evaluation, against=against))
    parts = next(table for table in tables if table.title.startswith("Each part on or off"))
    assert {row[0] for row in parts.rows} >= set(named.values())
    assert "DCA" not in {row[0] for row in parts.rows}


def test_the_picture_is_whole(made_evaluation):
    root = ElementTree.fromstring(evaluation_picture(made_evaluation))
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 4
    heights = [float(point.split(",")[1]) for point in lines[2].get("points").split()]
    daily = made_evaluation.accounts["ML at 70 %, unearned"].daily
    assert (heights[-1] < heights[0]) == (daily.iloc[-1] > daily.iloc[0])  # up is less in SVG
    assert all(40 <= height <= 390 for height in heights)


def test_markdown_tables_are_whole(made_evaluation):
    for block in re.findall(r"(?:^\|.*\n)+", evaluation_markdown(made_evaluation), re.M):
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1
