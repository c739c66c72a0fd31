"""No equation is left out: every tag of the package is derived on exactly one page, with its code under it."""

import tree

TAGGED = tree.tagged_lines()
SHOWN, LABELLED = tree.places(tree.SHOWN), tree.places(tree.LABELLED)


def test_every_tag_is_shown_on_exactly_one_page_a_tutorial_or_the_page_of_the_implementation():
    assert {tag: SHOWN.get(tag, []) for tag in TAGGED if len(SHOWN.get(tag, [])) != 1} == {}
    assert set(SHOWN) == set(TAGGED)
    assert {
        page for pages in SHOWN.values() for page in pages if not page.startswith("tutorials/")
    } == {"docs/more_equations"}
    assert [page for pages in SHOWN.values() for page in pages if "/solutions/" in page] == []


def test_every_tag_labels_its_formula_on_the_page_that_shows_its_code():
    assert {
        tag: (LABELLED.get(tag), SHOWN.get(tag))
        for tag in TAGGED
        if LABELLED.get(tag) != SHOWN.get(tag)
    } == {}


def test_every_equation_of_the_paper_that_is_carried_out_is_derived_in_a_tutorial():
    pages_of = {}
    for tag, entry in tree.registry().items():
        for number in entry.get("paper", "").split(","):
            pages_of.setdefault(number.strip(), []).extend(SHOWN.get(tag, []))

    assert len(pages_of) > 12
    assert [
        number
        for number, pages in pages_of.items()
        if number and not any(page.startswith("tutorials/") for page in pages)
    ] == []
