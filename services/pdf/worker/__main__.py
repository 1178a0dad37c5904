"""`python -I -m services.pdf.worker DESCRIPTOR`: the zygote, started by the service and by nobody else."""

import sys

from services.pdf.worker.operations import OPERATIONS
from services.pdf.worker.zygote import main

if __name__ == "__main__":
    main(OPERATIONS, sys.argv)
