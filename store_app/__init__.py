"""The doors: pages, API, commands and jobs. Alone knows the web and the scheduler."""
