import os

__version__ = "0.1.0"

# PyTorch then asks Linux for huge pages, if it has not been used before: large maps are read and written faster
os.environ.setdefault('THP_MEM_ALLOC_ENABLE', '1')
