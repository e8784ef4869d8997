"""LlamaIndex as its own guide has it: IngestionPipeline with a document store, two splitters, Chroma."""

from __future__ import annotations

import time

import chromadb
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import MarkdownNodeParser, SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore
from told import TURNS, arguments, change, files, tell, timed

DOCUMENTS_AT_ONCE = 50  # all at once ends at Chroma's batch limit


def main() -> None:
    """Cold, unchanged, one file in a hundred changed, then questions."""
    told = arguments()
    model = HuggingFaceEmbedding(str(told.model), embed_batch_size=32)
    collection = chromadb.PersistentClient(str(told.work / "chroma")).get_or_create_collection("pages")
    store = ChromaVectorStore(collection)
    pipeline = IngestionPipeline(
        transformations=[MarkdownNodeParser(), SentenceSplitter(chunk_size=256, chunk_overlap=20), model],
        vector_store=store,
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
    )

    def refresh() -> dict[str, int]:
        documents = [Document(text=file.read_text("utf-8"), id_=str(file)) for file in files(told.docs)]
        added = 0
        for start in range(0, len(documents), DOCUMENTS_AT_ONCE):
            added += len(pipeline.run(documents=documents[start : start + DOCUMENTS_AT_ONCE]))
        return {"chunks": collection.count(), "added": added}

    with timed("cold") as more:
        more |= refresh()
    for _ in range(TURNS):
        with timed("unchanged"):
            refresh()
    for turn in range(TURNS):
        count = change(told.docs, turn)
        with timed("changed", documents=count) as more:
            more |= refresh()
    retriever = VectorStoreIndex.from_vector_store(store, embed_model=model).as_retriever(similarity_top_k=10)
    seconds = []
    for question in told.questions.read_text("utf-8").splitlines():
        began = time.perf_counter()
        retriever.retrieve(question)
        seconds.append(time.perf_counter() - began)
    tell("questions", seconds=seconds)


if __name__ == "__main__":
    main()
