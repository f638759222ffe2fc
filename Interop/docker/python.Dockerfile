# The mirrored Python application, with Flower. Context: the folder Interop.
FROM python:3.13-slim-bookworm
COPY python/requirements.txt /requirements.txt
RUN pip install --no-cache-dir -r /requirements.txt flower==2.2.0 \
    && useradd --system --no-create-home worker
COPY python/proj /app/proj
WORKDIR /app
ENV PYTHONUNBUFFERED=1
USER worker
CMD ["celery", "-A", "proj", "worker", "-Q", "python"]
