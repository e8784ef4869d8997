"""Trains a model on this machine. It runs alone, by whichever Python has torch, and imports nothing of the bot:

    python train.py FOLDER

FOLDER has order.json, train.jsonl, validation.jsonl or preferences.jsonl. It gets checkpoints, the result, and a line
of JSON in events.jsonl for whatever happens. Begun again after a kill, it goes on from its last checkpoint. A file that
is called "cancel" ends it at the next step.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
LORA_LAYERS = "all-linear"
OUT_OF_MEMORY = (
    "The machine ran out of memory while it trained. Halve `--batch`, shorten `--max-tokens`, take `--method qlora` on "
    "a GPU, or a smaller base."
)


class Refused(Exception):
    """Why it cannot be trained, for people."""


def tell(**event: Any) -> None:
    """One line; it is whole once it is there."""
    with (FOLDER / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file, as the trainers take them: what is asked, apart from what is to be learned."""
    file = FOLDER / name
    if not file.is_file():
        return []
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if name == "preferences.jsonl":
        return [
            {
                "prompt": row["input"]["messages"],
                "chosen": row["preferred_output"],
                "rejected": row["non_preferred_output"],
            }
            for row in found
        ]
    return [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in found]


def qlora_lacks() -> str:
    """What QLoRA needs and this machine has not, as "no GPU"; "" where it has all."""
    import torch

    has = {"GPU": torch.cuda.is_available(), "bitsandbytes": importlib.util.find_spec("bitsandbytes") is not None}
    return " and ".join(f"no {name}" for name, there in has.items() if not there)


def opened(order: dict[str, Any]) -> tuple[Any, Any]:
    """The base model and its tokenizer. Raises Refused where they cannot be trained on."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    if order["method"] == "qlora" and (lacking := qlora_lacks()):
        raise Refused(f"QLoRA needs a GPU and bitsandbytes, and there is {lacking} here. Take `--method lora`.")
    base = order["base"]
    if (Path(base) / "adapter_config.json").is_file() and not (Path(base) / "config.json").is_file():
        below = json.loads((Path(base) / "adapter_config.json").read_text()).get("base_model_name_or_path") or "unknown"
        raise Refused(f"{base} is an adapter without its base ({below}). Name the base, or merge the two first.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        options: dict[str, Any] = {"dtype": torch.bfloat16 if torch.cuda.is_available() else torch.float32}
        if order["method"] == "qlora":
            options["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16
            )
        model = AutoModelForCausalLM.from_pretrained(base, **options)
    except (OSError, ValueError) as error:
        why = str(error).splitlines()[0][:300]
        raise Refused(f"The base model {base} cannot be opened ({why}). Name a folder that holds it.") from error
    if order.get("template"):
        tokenizer.chat_template = Path(order["template"]).read_text(encoding="utf-8")
    if not tokenizer.chat_template:
        raise Refused(
            f"The base model {base} has no chat template, so it cannot tell a question from its answer. Take the "
            "instruct version of it, or name a file with one: `--template FILE`."
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def settings(order: dict[str, Any], evaluated: bool) -> dict[str, Any]:
    """What SFT and DPO are configured with alike."""
    options: dict[str, Any] = {
        "output_dir": str(FOLDER / "checkpoints"),
        "num_train_epochs": order["epochs"],
        "per_device_train_batch_size": order["batch"],
        "per_device_eval_batch_size": order["batch"],
        "gradient_accumulation_steps": order["accumulate"],
        "learning_rate": order["learning_rate"],
        "max_length": order["max_tokens"],
        "seed": order["seed"],
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": order["save_steps"],
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
    }
    if evaluated and order["patience"]:
        options |= {"eval_strategy": "steps", "eval_steps": order["save_steps"], "load_best_model_at_end": True}
        options |= {"metric_for_best_model": "eval_loss", "greater_is_better": False}
    return options


def trainer_of(order: dict[str, Any], model: Any, tokenizer: Any) -> Any:
    """The trainer with its data."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import EarlyStoppingCallback, TrainerCallback
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    class Telling(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Tells each step, and ends at the next one where that is wanted."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            figures = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
            tell(step=state.global_step, at=time.time(), figures=figures)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            tell(step=state.global_step, checkpoint=f"checkpoint-{state.global_step}")

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if (FOLDER / "cancel").exists():
                control.should_training_stop = True

    callbacks: list[Any] = [Telling()]
    lora = None
    if order["method"] != "full":
        lora = LoraConfig(
            r=order["rank"],
            lora_alpha=order["alpha"],
            lora_dropout=order["dropout"],
            target_modules=LORA_LAYERS,
            task_type="CAUSAL_LM",
        )
    if order["objective"] == "dpo":
        train, held_out = rows("preferences.jsonl"), []
    else:
        train, held_out = rows("train.jsonl"), rows("validation.jsonl")
    if not train:
        raise Refused("There is nothing to train on: the data set has no such rows.")
    options = settings(order, bool(held_out)) | {"use_cpu": not torch.cuda.is_available()}
    if "eval_strategy" in options:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=order["patience"]))
    kind, config = (DPOTrainer, DPOConfig) if order["objective"] == "dpo" else (SFTTrainer, SFTConfig)
    return kind(
        model=model,
        args=config(**options),
        train_dataset=Dataset.from_list(train),
        eval_dataset=Dataset.from_list(held_out) if held_out else None,
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=callbacks,
    )


def last_checkpoint() -> str | None:
    """The newest whole checkpoint: one that a kill left half has no state of the trainer."""
    found = [one for one in (FOLDER / "checkpoints").glob("checkpoint-*") if (one / "trainer_state.json").is_file()]
    return str(max(found, key=lambda one: int(one.name.rpartition("-")[2]))) if found else None


def save(order: dict[str, Any], trainer: Any, tokenizer: Any) -> None:
    """The whole model: an adapter is merged into its base, since servers take no bare adapter."""
    result = FOLDER / "result.half"
    model = trainer.model
    if order["method"] == "full":
        model.save_pretrained(result)
    else:
        model.save_pretrained(FOLDER / "adapter")
        if order["method"] == "qlora":
            import torch
            from peft import PeftModel
            from transformers import AutoModelForCausalLM

            base = AutoModelForCausalLM.from_pretrained(order["base"], dtype=torch.bfloat16)
            model = PeftModel.from_pretrained(base, FOLDER / "adapter")
        model.merge_and_unload().save_pretrained(result)
    tokenizer.save_pretrained(result)
    result.rename(FOLDER / "result")


def run() -> None:
    """The whole way."""
    order = json.loads((FOLDER / "order.json").read_text(encoding="utf-8"))
    model, tokenizer = opened(order)
    trainer = trainer_of(order, model, tokenizer)
    checkpoint = last_checkpoint()
    tell(began=time.time(), resumed=checkpoint is not None)
    trainer.train(resume_from_checkpoint=checkpoint)
    if (FOLDER / "cancel").exists():
        tell(ended="cancelled")
        return
    save(order, trainer, tokenizer)
    tell(ended="succeeded", result="result")


def tells_of_memory(words: str) -> bool:
    """Whether words say that there is no memory left, on the GPU or beside it."""
    said = words.lower()
    return any(
        each in said for each in ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")
    )


def main() -> int:
    """Runs it, and words what went wrong. 3: packages are missing."""
    try:
        run()
    except Refused as error:
        tell(ended="failed", problem=str(error))
    except Exception as error:
        if isinstance(error, MemoryError) or tells_of_memory(str(error)):
            tell(ended="failed", problem=OUT_OF_MEMORY)
        elif isinstance(error, ImportError):
            tell(ended="failed", lacks=error.name or str(error))
            return 3
        else:
            tell(ended="failed", problem=f"Training broke off: {type(error).__name__}: {str(error)[:300]}")
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
