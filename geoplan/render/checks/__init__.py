"""What a check of topology files found, for programs: GitHub's annotations, code scanning, the tests of a CI system."""
