"""`python -m bench.growth.project web|worker [STATIONS]`: the product's own processes, with this project."""

import sys

import bench.growth.project.feeds
import bench.growth.project.pages
from app.loading import Project
from bench.serving import serve

if __name__ == "__main__":
    serve(Project(bench.growth.project.feeds, bench.growth.project.pages), "bench.growth.project", *sys.argv[1:])
