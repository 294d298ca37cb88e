"""What a rule of verification looks at in a delivery: where its proof stands, and which parts it proves."""

from collections.abc import Callable
from dataclasses import replace

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import walk
from gateway.catalogue.locator import Locator
from gateway.catalogue.model import Connector
from gateway.catalogue.webhook_model import Verify
from gateway.proofs.received import Received, sources_of
from gateway.proofs.rewriting import Place, places

_WHOLE = frozenset({"raw", "crc32", "form_sorted"})


class Anatomy:
    """A delivery as one rule sees it."""

    def __init__(self, connector: Connector, rule: Verify, config: ConfigView, received: Received) -> None:
        self.connector, self.rule, self.config, self.received = connector, rule, config, received
        self.sources = sources_of(connector, config, received)
        texts = self.signature_texts()
        self.sources.read_signature(texts[0] if texts else "", rule.split or ",")
        items = connector.webhook.items.chosen(self.sources) if connector.webhook and connector.webhook.items else None
        self.items = ".".join(items.path_in(self.sources)) if rule.per_item and items else None
        path = self.items.split(".") if self.items else []
        listed = items is not None and isinstance(walk(self.sources.body, path), list) and self.sources.document
        self.listed = listed.elements(path) if listed and self.items is not None else []

    def places(self, *locators: Locator | None) -> list[Place]:
        """Where the parts stand that these locators find, in every item."""
        found: list[Place] = []
        for locator in locators:
            if locator is None:
                continue
            of_items = self.items is not None and any(one.source == "item" for one in locator.alternatives)
            for number, item in enumerate(self.listed if of_items else [None]):
                self.sources.item = item
                found += places(locator, self.sources, self.items, number)
        return list(dict.fromkeys(found))

    @property
    def signature(self) -> list[Place]:
        """Where the signatures stand."""
        return self.places(*self.rule.signature)

    @property
    def signed(self) -> list[Place]:
        """Where the parts stand that the rule names as signed, the time among them."""
        return self.places(*(self.rule.signed.locators if self.rule.signed else ()), self.rule.timestamp)

    @property
    def whole_body(self) -> bool:
        """Whether every byte of the body is proved."""
        is_form = "form_sorted" not in self.rule.words_signed or bool(self.sources.form)
        return self.rule.body_digest is not None or bool(self.rule.words_signed & _WHOLE and is_form)

    def signature_texts(self) -> list[str]:
        """The texts that hold the signatures, in the order in which the rule reads them."""
        return [text for locator in self.rule.signature for text in locator.texts(self.sources)]

    def text(self, place: Place) -> str:
        """What stands at a place."""
        if place.source == "header":
            name, _, field = place.path.lower().partition("#")
            if field:
                return next((one.text(self.sources) or "" for one in self.rule.signature), "")
            return self.sources.headers.get(name, "")
        if place.source == "body":
            value = walk(self.sources.body, place.path.split("."))
            return "" if value is None else str(value)
        return (self.sources.query if place.source == "query" else self.sources.form).get(place.path, "")

    def word(self, setting: str) -> str:
        """A word of the rule, or what the configuration says where it is `@key`."""
        return (self.sources.setting(setting[1:]) or "") if setting.startswith("@") else setting


def with_only(connector: Connector, rule: Verify) -> Connector:
    """The connector as if it knew no other proof."""
    webhook = connector.webhook
    return connector if webhook is None else replace(connector, webhook=replace(webhook, verify=(rule,)))


def applies(rule: Verify, anatomy: Anatomy) -> bool:
    """Whether the configuration chooses this rule."""
    return all(anatomy.sources.setting(one.key) in one.values for one in rule.conditions)


def mapped(rule: Verify, text: str, change: Callable[[str], str]) -> str:
    """A signature text in which every signature is changed, and nothing else."""
    return (rule.split or "").join(_mapped(rule, part, change) for part in parts(rule, text))


def parts(rule: Verify, text: str) -> list[str]:
    """What a signature text is split into."""
    return text.split(rule.split) if rule.split else [text]


def _mapped(rule: Verify, part: str, change: Callable[[str], str]) -> str:
    bare = part.strip()
    if rule.prefix is not None and not bare.startswith(rule.prefix):
        return part
    digits = bare[len(rule.prefix or "") :].removeprefix(rule.prefix_optional or "")
    return part.replace(bare, bare[: len(bare) - len(digits)] + change(digits)) if digits else part
