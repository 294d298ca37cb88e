"""What vendors look like, as data: connector files, their two small languages, their checks."""
