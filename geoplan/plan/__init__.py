"""What has to be done: the lists, clusters and ordered steps that a topology needs."""
