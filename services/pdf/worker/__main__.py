"""`python -I -m services.pdf.worker DESCRIPTOR RECIPE`: a zygote, started by the service and by nobody else."""

import sys

from services.pdf.worker.zygote import main

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
