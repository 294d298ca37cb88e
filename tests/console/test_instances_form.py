"""A form as a browser would send it back; and that this reads what a page holds."""

from html.parser import HTMLParser


class Sent(HTMLParser):
    """The fields of the form with this action, as they stand."""

    def __init__(self, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: dict[str, str] = {}
        self._action, self._inside = action, False
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("action") == self._action
        elif self._inside and tag == "input" and "name" in given:
            if given.get("type") != "checkbox" or "checked" in given:
                self.fields[given["name"]] = given.get("value", "")
        elif self._inside and tag == "select":
            self._select = given["name"]
        elif self._select and tag == "option":
            if "selected" in given or self._select not in self.fields:
                self.fields[self._select] = given.get("value", "")
        elif self._inside and tag == "textarea":
            self._area = given["name"]
            self.fields[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            # A browser leaves out the first line break of a text area.
            self.fields[self._area] += data.removeprefix("\n")


def sent(text: str, action: str) -> dict[str, str]:
    """What a browser sends where nobody types anything."""
    reader = Sent(action)
    reader.feed(text)
    return {name: value for name, value in reader.fields.items() if name != "csrf"}


def test_a_form_is_sent_as_it_stands() -> None:
    page = (
        '<form action="/other"><input name="z" value="0"></form><form action="/x"><input name="a" value="1 &amp; 2">'
        '<input type="checkbox" name="b" value="true" checked><input type="checkbox" name="c" value="true">'
        '<select name="d"><option value="1">one<option value="2" selected>two</select>'
        '<textarea name="e">\n\nlines\n</textarea></form><input name="f" value="9">'
    )
    assert sent(page, "/x") == {"a": "1 & 2", "b": "true", "d": "2", "e": "\nlines\n"}
