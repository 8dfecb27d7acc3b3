"""`python -m bench.project web|worker [STATIONS]`: the product's own processes, with this project."""

import sys

import bench.project.feeds
import bench.project.pages
from app.loading import Project
from bench.serving import serve

if __name__ == "__main__":
    serve(Project(bench.project.feeds, bench.project.pages), "bench.project", *sys.argv[1:])
