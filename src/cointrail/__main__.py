"""`python -m cointrail`."""

from cointrail.cli.main import main

if __name__ == "__main__":
    main()
