"""`make bench`: every benchmark of this directory, one after the other."""

from bench import event_to_paint


def main() -> None:
    print("== event to paint")
    event_to_paint.main()


if __name__ == "__main__":
    main()
