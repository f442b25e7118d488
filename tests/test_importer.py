"""The quick reader gives Rasa what Rasa's own reader would."""

from pathlib import Path

from rasa.shared.importers.rasa import RasaFileImporter

from bot.nlu.importer import Importer

FILES = {
    "en/clinic.yml": 'nlu:\n- intent: cost\n  metadata: {language: en}\n  examples:\n  - text: "how much?"\n',
    "es/clinic.yml": (
        "nlu:\n- intent: cost\n  metadata: {language: es}\n  examples:\n"
        '  - text: "¿cuánto?"\n    metadata: {en: "how much?"}\n'
        '  - text: "precio: 5 o 6"\n    metadata: {en: "price"}\n'
    ),
    "lookups.yml": (
        'version: "3.1"\nnlu:\n- lookup: language\n  examples: |\n    - english\n'
        "- synonym: en\n  examples: |\n    - english\n"
        "- intent: change_language\n  examples:\n  - text: in [english](language)\n"
    ),
    "rules.yml": 'version: "3.1"\nrules:\n- rule: price\n  steps:\n  - intent: cost\n  - action: action_say_topic\n',
    "lexicon.yml": "concepts:\n  price: price precio\n",
}
DOMAIN = 'version: "3.1"\nintents: [cost, change_language]\nentities: [language]\nactions: [action_say_topic]\n'


def test_it_reads_what_rasa_reads(tmp_path: Path) -> None:
    folder = tmp_path / "nlu_data"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    ours, rasas = (
        importer(None, str(tmp_path / "domain.yml"), [str(folder)]) for importer in (Importer, RasaFileImporter)
    )
    told = [sorted((m.as_dict() for m in i.get_nlu_data().training_examples), key=str) for i in (ours, rasas)]
    assert told[0] == told[1]
    assert len(told[0]) == 4
    assert ours.get_nlu_data().lookup_tables == rasas.get_nlu_data().lookup_tables
    assert ours.get_nlu_data().entity_synonyms == rasas.get_nlu_data().entity_synonyms
    names = [[step.block_name for step in i.get_stories().story_steps] for i in (ours, rasas)]
    assert names == [["price"], ["price"]]
