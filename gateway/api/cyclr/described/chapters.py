"""All chapters of this wire."""

from gateway.api.cyclr.described import accounts, connectors, custom, partner, tokens

CHAPTERS = (tokens.TOKENS, tokens.SIGN_IN, accounts.CHAPTER, connectors.CHAPTER, custom.CHAPTER, partner.CHAPTER)
