"""Single-use sign-in tokens and the sessions that follow, as rows."""
