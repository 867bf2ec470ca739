# One image, each role: `kakehashi streams`, `kakehashi bridge`, `kakehashi produce`. Built from a clone:
#   docker build -t kakehashi:0.1.0 .
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE NOTICE ./
# The build tools come from the lock, too, with hashes. Only the part that pyproject.toml requires is installed to run.
RUN pip install --require-hashes -r requirements.lock \
 && uv pip compile -q --generate-hashes --constraint requirements.lock -o /runtime.txt pyproject.toml \
 && python -m venv /opt/kakehashi \
 && /opt/kakehashi/bin/pip install --require-hashes -r /runtime.txt
COPY . .
RUN pip wheel --no-deps --no-build-isolation -w /wheels . \
 && /opt/kakehashi/bin/pip install --no-deps /wheels/*.whl

FROM python:3.11-slim
RUN groupadd --gid 10001 kakehashi \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/kakehashi kakehashi \
 && install -d -o kakehashi -g kakehashi /var/lib/kakehashi
COPY --from=build /opt/kakehashi /opt/kakehashi
ENV PATH=/opt/kakehashi/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/kakehashi
ENTRYPOINT ["kakehashi"]
CMD ["--help"]
