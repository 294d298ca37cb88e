"""Charts: every value stands where its scale says, nothing leaves the plot, and what is drawn can be read as well."""

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.charts.drawing import HEIGHT, WIDTH, Chart, Frame, Line
from gateway.console.charts.scales import MOST_TICKS, counts, durations, short, times
from gateway.console.page import environment
from gateway.console.shown import UNKNOWN, Shown
from gateway.traffic.model import DAY_MS, HOUR_MS, MINUTE_MS, Window

NOON = 1_767_268_800_000
HOUR = Window.ending(NOON, HOUR_MS, MINUTE_MS)
_NUMBER = re.compile(r"-?[0-9.]+")


def frame(steps: int = 4) -> Frame:
    return Frame(Window(NOON, NOON + steps * MINUTE_MS, MINUTE_MS), UNKNOWN)


def drawn(chart: Chart) -> str:
    macros = environment().from_string('{% import "charts/chart.html" as c %}{{ c.chart(one) }}')
    return macros.render(one=chart)


@given(st.integers(0, 10**12))
def test_a_scale_of_counts_ends_with_a_round_whole_number_above_the_most(most: int) -> None:
    scale = counts(most)
    assert scale.share(most) <= 1
    assert (scale.ticks[0].label, scale.ticks[-1].share) == ("0", 1)
    assert 2 <= len(scale.ticks) <= MOST_TICKS + 2
    assert scale.share(most) > 0.4 or most <= 1


@given(st.lists(st.floats(0, 2 * DAY_MS), max_size=20))
def test_a_scale_of_durations_keeps_their_order_and_its_lines_go_up(values: list[float]) -> None:
    scale = durations(values)
    shares = [scale.share(one) for one in sorted(values)]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
    lines = [tick.share for tick in scale.ticks]
    assert lines == sorted(set(lines))
    assert len(lines) >= 2


@pytest.mark.parametrize(("value", "label"), [(0, "0"), (999, "999"), (1500, "1.5k"), (2_000_000, "2M"), (3e9, "3G")])
def test_a_number_on_a_scale_is_short(value: float, label: str) -> None:
    assert short(value) == label


@pytest.mark.parametrize(
    ("length", "zone", "first"),
    [
        (HOUR_MS, "UTC", "11:10"),
        (DAY_MS, "UTC", "16:00"),
        (DAY_MS, "Asia/Kolkata", "20:00"),
        (7 * DAY_MS, "Europe/Berlin", "Fri 26"),
        (7 * DAY_MS, "America/New_York", "Fri 26"),
    ],
)
def test_labels_stand_at_round_times_of_the_account_s_zone(length: int, zone: str, first: str) -> None:
    ticks = times(NOON - length, NOON, Shown(ZoneInfo(zone)))
    assert ticks[0].label == first
    assert [tick.share for tick in ticks] == sorted(tick.share for tick in ticks)
    assert all(0 < tick.share < 1 for tick in ticks)
    assert 4 <= len(ticks) <= 7


def test_a_label_stands_where_its_time_is() -> None:
    [tick] = [tick for tick in times(NOON - HOUR_MS, NOON, UNKNOWN) if tick.label == "11:30"]
    assert tick.share == 0.5


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=50))
def test_no_bar_leaves_the_plot_and_what_is_there_is_to_be_seen(pairs: list[tuple[int, int]]) -> None:
    lines = [Line("a", "good", [one for one, _ in pairs]), Line("b", "bad", [other for _, other in pairs])]
    chart = frame(len(pairs)).bars("x", "X", lines)
    found: dict[str, str] = {path.look: path.d for path in chart.paths}
    for name, values in (("good", lines[0].values), ("bad", lines[1].values)):
        bars = [[float(number) for number in _NUMBER.findall(bar)] for bar in found.get(name, "").split("M")[1:]]
        assert len(bars) == sum(1 for one in values if one)
        for left, bottom, width, top, back in bars:
            assert 0 <= left < left + width <= WIDTH + 0.2
            assert -1 <= top < bottom <= HEIGHT
            assert back == -width


def test_bars_of_one_step_stand_upon_one_another() -> None:
    chart = frame(1).bars("x", "X", [Line("a", "good", [3]), Line("b", "bad", [1])])
    [lower, upper] = [[float(number) for number in _NUMBER.findall(path.d)] for path in chart.paths]
    assert (lower[1], lower[3], upper[1], upper[3]) == (HEIGHT, 40, 40, 0)


def test_a_line_breaks_off_where_nothing_is_known_and_a_lone_step_is_a_dot() -> None:
    chart = frame(5).durations("x", "X", [Line("a", "first", [10, 20, None, 30, None])])
    assert chart.paths[0].d.count("M") == 1
    assert [path.shape for path in chart.paths] == ["line", "dot"]
    assert chart.paths[1].d.startswith("M700.0 ")


def test_a_step_says_in_words_what_was_in_it_and_the_table_says_the_same() -> None:
    lines = [Line("accepted", "in", [0, 1200, 0, 0]), Line("delivered", "out", [0, 7, 0, 1])]
    chart = frame().areas("x", "X", lines)
    assert [slot.title for slot in chart.slots] == [
        "12:01 · accepted 1\u2009200 · delivered 7",
        "12:03 · accepted 0 · delivered 1",
    ]
    assert chart.rows == (("12:01", ("1\u2009200", "7")), ("12:03", ("0", "1")))
    assert [slot.x for slot in chart.slots] == ["25.00%", "75.00%"]


def test_the_lines_of_both_scales_stand_at_their_values() -> None:
    chart = Frame(HOUR, UNKNOWN).bars("x", "X", [Line("a", "good", [4, *[0] * 59])])
    assert [(one.place, one.label) for one in chart.upward] == [(f"{8 + 40 * (4 - one)}", str(one)) for one in range(5)]
    assert [(one.place, one.label, one.minor) for one in chart.across][:2] == [
        ("15.00%", "11:10", False),
        ("31.67%", "11:20", True),
    ]


def test_a_longer_step_says_from_when_to_when() -> None:
    frames = Frame(Window(NOON, NOON + 7 * DAY_MS, 2 * HOUR_MS), UNKNOWN)
    chart = frames.areas("x", "X", [Line("a", "in", [1, *[0] * 83])])
    assert chart.rows[0][0] == "Thu 01, 12:00 – 14:00"


def test_a_chart_of_nothing_says_so() -> None:
    chart = frame().durations("x", "X", [Line("a", "first", [None] * 4)])
    assert (chart.nothing, chart.paths) == (True, ())
    assert "Nothing in this period" in drawn(chart)
    assert "<details" not in drawn(chart)


def test_markup_in_a_name_is_shown_and_never_run() -> None:
    found = drawn(frame().bars("x", "<b>X</b>", [Line('"><script>', "good", [1, 0, 0, 0])]))
    assert "<script" not in found
    assert "<b>X" not in found


def test_a_chart_has_a_name_and_keeps_to_the_policy() -> None:
    found = drawn(frame().bars("x", "Attempts", [Line("succeeded", "good", [1, 0, 0, 0])]))
    assert 'role="img" aria-label="Attempts: succeeded, over time.' in found
    assert "style=" not in found
