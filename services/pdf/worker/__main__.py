"""`python -I -m services.pdf.worker DESCRIPTOR RECIPE`: a zygote, which only the service starts."""

import sys

from services.pdf.worker.zygote import main

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
