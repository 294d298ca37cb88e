"""All chapters of this surface."""

from gateway.api.open_connectors.described import elements, instances

CHAPTERS = (instances.CHAPTER, elements.ELEMENTS, elements.CALLS)
