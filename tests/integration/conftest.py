"""One exchange of two nations for all tests of this folder: it takes a quarter of a minute to start."""

from collections.abc import Iterator

import pytest

from tests.integration.nations import Nations, working_nations


@pytest.fixture(scope="package")
def nations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nations]:
    """Both nations with a worker and a bridge each, running. Whatever tests send stays there for those after them."""
    with working_nations(tmp_path_factory.mktemp("nations")) as both:
        yield both
