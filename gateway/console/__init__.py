"""The pages of the gateway: for people who connect accounts, look for events and configure what is sent out."""
