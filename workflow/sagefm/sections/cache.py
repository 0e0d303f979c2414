"""Keep sections in memory after reading them, as far as they fit, for the next epochs."""

import logging

from scipy.sparse import csr_matrix

from sagefm.graphs.neighbourhoods import Graph
from sagefm.sections.section import Section, read_section

log = logging.getLogger(__name__)


class SectionCache:
    """Counts and graphs of the first sections read, up to a memory limit; others are read again.

    Parameters
    ----------
    gigabytes
        Maximum memory of everything kept.
    """

    def __init__(self, gigabytes: float) -> None:
        self.room = gigabytes * 1e9
        self._sections: dict[Section, tuple[csr_matrix, Graph]] = {}
        self._full = False

    def read(self, section: Section) -> tuple[csr_matrix, Graph]:
        """As `section.read_section`; do not change the result, since it may be returned again."""
        if section in self._sections:
            return self._sections[section]
        counts, graph = read_section(section)
        arrays = (counts.data, counts.indices, counts.indptr, graph.indptr, graph.ego)
        size = sum(array.nbytes for array in arrays)
        if size <= self.room:
            self.room -= size
            self._sections[section] = counts, graph
        elif not self._full and self._sections:
            self._full = True
            log.info(
                "%d sections are kept in memory, and `compute.keep_gb` has no room for the next; "
                "what does not fit is read in every epoch",
                len(self._sections),
            )
        return counts, graph
