"""The web application under the pages: security, sessions, sign-in, formatting, assets."""
