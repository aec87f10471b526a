"""Millimetres on the page as shown, to user space."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import InvalidPlacement
from seal_service.domain.placement import Placement
from seal_service.formats.pdf import MM_PER_POINT, ShownPage
from seal_service.sealing.placement import place, to_user_space

A4 = ShownPage(0, 0, 595.276, 841.89)
rotations = st.sampled_from([0, 90, 180, 270])
pages = st.builds(
    lambda left, bottom, width, height, rotation, unit: ShownPage(
        left, bottom, left + width, bottom + height, rotation, unit
    ),
    st.floats(-2000, 2000),
    st.floats(-2000, 2000),
    st.floats(300, 3000),
    st.floats(300, 3000),
    rotations,
    st.floats(0.5, 10),
)


def _shown(page: ShownPage, x: float, y: float) -> tuple[float, float]:
    """User space to mm from the upper left as shown: turning by the rotation matrix, clockwise."""
    middle_x, middle_y = (page.left + page.right) / 2, (page.bottom + page.top) / 2
    turn_x, turn_y = x - middle_x, y - middle_y
    for _ in range(page.rotation // 90):
        turn_x, turn_y = turn_y, -turn_x
    return turn_x * page.unit_mm + page.width_mm / 2, page.height_mm / 2 - turn_y * page.unit_mm


@given(pages, st.floats(0, 1), st.floats(0, 1))
def test_a_point_of_the_shown_page_comes_back_through_the_rotation(page: ShownPage, across: float, down: float) -> None:
    x_mm, y_mm = across * page.width_mm, down * page.height_mm
    point = to_user_space(page, x_mm / page.unit_mm, y_mm / page.unit_mm)
    assert page.left - 1e-6 <= point[0] <= page.right + 1e-6
    assert page.bottom - 1e-6 <= point[1] <= page.top + 1e-6
    assert _shown(page, *point) == pytest.approx((x_mm, y_mm), abs=1e-6 * page.unit_mm * 3000)


@given(pages, st.floats(0, 1), st.floats(0, 1), st.floats(10, 50), st.floats(10, 50))
def test_the_impression_has_its_true_size_and_place_and_stands_upright(
    page: ShownPage, across: float, down: float, width: float, height: float
) -> None:
    x_mm, y_mm = across * (page.width_mm - width), down * (page.height_mm - height)
    placed = place(page, Placement(page=1, x_mm=max(x_mm, 0), y_mm=max(y_mm, 0)), width, height)
    left, bottom, right, top = placed.rectangle
    corners = sorted([_shown(page, left, bottom), _shown(page, right, top)])
    (x_1, y_1), (x_2, y_2) = corners
    assert (x_1, min(y_1, y_2)) == pytest.approx((x_mm, y_mm), abs=0.001)
    assert (x_2 - x_1, abs(y_2 - y_1)) == pytest.approx((width, height), abs=0.001)
    a, b, c, d, _, _ = placed.matrix
    assert a * d - b * c == 1, "a rotation, no mirror"
    up = (c, d)
    for _ in range(page.rotation // 90):
        up = (up[1], -up[0])
    assert up == (0, 1), "the upper side of the impression is up on the page as shown"
    assert placed.width * page.unit_mm == pytest.approx(width)
    assert placed.height * page.unit_mm == pytest.approx(height)


def test_without_a_position_the_seal_lies_25_mm_from_the_lower_right() -> None:
    placed = place(A4, Placement(), 42, 42)
    assert placed.box_um == (143000, 230000, 42000, 42000)


def test_on_a_small_page_the_margin_shrinks() -> None:
    card = ShownPage(0, 0, 85 / MM_PER_POINT, 54 / MM_PER_POINT)
    assert place(card, Placement(), 42, 42).box_um == (21500, 6000, 42000, 42000)


@pytest.mark.parametrize(("x", "y"), [(168.1, 0.0), (0.0, 255.1), (300.0, 300.0)])
def test_a_seal_that_would_leave_the_page_is_refused_with_the_page_size(x: float, y: float) -> None:
    with pytest.raises(InvalidPlacement, match=r"210\.0 × 297\.0 mm"):
        place(A4, Placement(page=1, x_mm=x, y_mm=y), 42, 42)


def test_a_page_smaller_than_the_seal_is_refused() -> None:
    with pytest.raises(InvalidPlacement):
        place(ShownPage(0, 0, 100, 100), Placement(), 42, 42)
