"""Tests of the folder for Ansible."""
