"""Documents for people who have no Serment: the page that opens sealed files in a browser, and phrases."""
