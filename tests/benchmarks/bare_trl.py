"""The same training without the bot: TRL and PEFT as their own pages show it. `python bare_trl.py FOLDER`, by a Python
that has torch; FOLDER has train.jsonl and order.json, and gets figures.json and the merged model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()


def main() -> None:
    """Trains, merges, saves."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    order = json.loads((FOLDER / "order.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (FOLDER / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(order["base"]),
        args=SFTConfig(
            output_dir=str(FOLDER / "checkpoints"),
            num_train_epochs=order["epochs"],
            per_device_train_batch_size=order["batch"],
            learning_rate=order["learning_rate"],
            max_length=order["max_tokens"],
            seed=order["seed"],
            logging_steps=1,
            save_strategy="steps",
            save_steps=order["save_steps"],
            save_total_limit=2,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=Dataset.from_list(
            [{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]} for row in rows]
        ),
        processing_class=AutoTokenizer.from_pretrained(order["base"]),
        peft_config=LoraConfig(
            r=order["rank"], lora_alpha=order["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
        ),
    )
    trainer.train()
    trainer.model.merge_and_unload().save_pretrained(FOLDER / "result")
    (FOLDER / "figures.json").write_text(json.dumps(trainer.state.log_history), encoding="utf-8")


if __name__ == "__main__":
    main()
