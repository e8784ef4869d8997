"""LangChain as its own guide has it: header and recursive splitters, Chroma, and the indexing API."""

from __future__ import annotations

import time

from langchain_chroma import Chroma
from langchain_classic.indexes import SQLRecordManager, index
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter
from told import TURNS, arguments, change, files, tell, timed

HEADERS = [("#" * level, f"h{level}") for level in range(1, 5)]


def main() -> None:
    """Cold, unchanged, one file in a hundred changed, then questions."""
    told = arguments()
    embeddings = HuggingFaceEmbeddings(model_name=str(told.model))
    store = Chroma("pages", embeddings, persist_directory=str(told.work / "chroma"))
    records = SQLRecordManager("pages", db_url=f"sqlite:///{told.work / 'records.db'}")
    records.create_schema()

    def refresh() -> dict[str, int]:
        documents = [chunk for file in files(told.docs) for chunk in split(file.read_text("utf-8"), str(file))]
        done = index(documents, records, store, cleanup="full", source_id_key="source", batch_size=256)
        return {"chunks": len(documents), "added": done["num_added"]}

    with timed("cold") as more:
        more |= refresh()
    for _ in range(TURNS):
        with timed("unchanged"):
            refresh()
    for turn in range(TURNS):
        count = change(told.docs, turn)
        with timed("changed", documents=count) as more:
            more |= refresh()
    seconds = []
    for question in told.questions.read_text("utf-8").splitlines():
        began = time.perf_counter()
        store.similarity_search(question, k=10)
        seconds.append(time.perf_counter() - began)
    tell("questions", seconds=seconds)


def split(text: str, source: str) -> list[Document]:
    """By headings, then by 1,000 characters, with the headings in front: the splitters' own defaults cut too long."""
    headed = MarkdownHeaderTextSplitter(HEADERS, strip_headers=False).split_text(text)
    parts = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=100).split_documents(headed)
    for part in parts:
        part.metadata = {"source": source}
    return parts


if __name__ == "__main__":
    main()
