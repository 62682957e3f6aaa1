"""The JSON API, one noun one file; each exports `bp`."""
