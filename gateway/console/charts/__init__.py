"""Charts of the console, as SVG that the server draws; pure."""
