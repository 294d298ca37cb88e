"""The page on operating: every command that it prints is run, and answers as it says."""

from tests.docs.operate import PAGE, session, settled


async def test_every_command_of_the_page_answers_as_it_is_printed() -> None:
    printed = PAGE.read_text("utf-8")
    assert settled(await session(printed)) == settled(printed)
