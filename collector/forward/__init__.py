"""Records to what a hospital runs already: OCSF, ECS and CEF, over HTTPS and over syslog with TLS."""
