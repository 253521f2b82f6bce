#!/usr/bin/env python3
"""Makes the fixtures that hold the tokenizers against Hugging Face's `tokenizers` and SentencePiece.

    python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3 jinja2==3.1.6
    venv/bin/python Tests/Fixtures/make_tokenizers.py

It trains a small vocabulary of every kind on the sentences below and writes, into tokenizers/ beside
itself:

    <kind>.json or <kind>.model   the tokenizer
    texts.json                    the texts that every kind encodes
    <kind>.cases.json             encoded: ids of each text, with special tokens; decoded: [ids, text with
                                  special tokens left out, text with them]
    chat.json                     conversations as Jinja renders the published forms
    manifest.json                 library versions and the SHA-256 of every file

    corpus.txt                    what learned.json was learned from

Two tokenizers there are not made by this script, which only adds their cases: stories260K.json is the
tokenizer of karpathy/tinyllamas' stories260K (MIT License, see stories260K.LICENSE) as tokenizer.json; learned.json
is what the program's own trainer makes of corpus.txt with 620 pieces.
A second run gives other vocabularies where the libraries break ties by chance; the cases follow.
fuzz_tokenizers.py trains larger vocabularies with the functions of this file.
"""

import hashlib
import io
import json
import random
import sys
from pathlib import Path

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

HERE = Path(__file__).resolve().parent
TARGET = HERE / "tokenizers"

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def cl100k(numbers):
    return (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
        + numbers
        + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


SENTENCES = """
The small model learns how to learn while it is being fine-tuned on text.
A prompt before each example can help, and a misleading prompt can hurt; we've measured it.
It's the patient's blood pressure that the doctor didn't like: 120/80 mmHg, then 145/95.
Revenue grew 12.5% to $3,456.78 million in 2024, they'll report again in March.
Der kleine Hund läuft über die Straße und trifft einen größeren Hund, der müde ist.
Le garçon naïf a mangé une crème brûlée près de l'école, où il était déjà allé.
El niño pequeño corrió mañana y noche; ¿dónde está la señora? ¡Aquí!
Маленькая собака бежит через дорогу и встречает большую собаку, которая устала.
Το μικρό σκυλί τρέχει στον δρόμο και συναντά ένα μεγαλύτερο σκυλί.
我们 研究 小 模型 如何 学习。今天天气很好,我们去公园散步。
今日はとても良い天気ですね。公園で犬と一緒に散歩しました。
오늘은 날씨가 아주 좋습니다. 공원에서 강아지와 산책했습니다.
الكلب الصغير يجري في الشارع ويقابل كلبا أكبر منه. ٣٤٥
छोटा कुत्ता सड़क पर दौड़ता है और एक बड़े कुत्ते से मिलता है। १२३
สุนัขตัวเล็กวิ่งข้ามถนนและพบกับสุนัขตัวใหญ่
def add(self, x: int, y: int = 0) -> int:\\n    return self.value + x * y  # sum
for (let i = 0; i < items.length; i++) {\\n\\tconsole.log(items[i].name);\\n}
if err != nil { return fmt.Errorf("cannot read %q: %w", path, err) }
<div class="note"><p>Hello &amp; welcome</p></div> https://example.org/a?b=c&d=e#f
SELECT name, COUNT(*) FROM users WHERE age >= 21 GROUP BY name ORDER BY 2 DESC;
😀 😃 😄 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ❤️ ✨ are emoji, and so is 🤷🏻‍♀️.
""".strip().replace("\\n", "\n").replace("\\t", "\t").split("\n")

# What tends to go wrong; every one is encoded by every kind.
TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n ", "a", " a", "  a", "a ", "a  ", "a\n", "\na",
    "Hello world", "Hello  world", " Hello", "hello, world!", "Hello\n\nworld", "Hello \n \n world  ",
    "a\u00a0b", "\u3000x\u3000", "x\u2003y\u2028z\u2029w", "\u0085", "\x0b\x0c\x1c\x1d", "\x00", "a\x00b", "\x7f",
    "\u200b\u200d\ufeff", "\ufeffText", "\u0301", "e\u0301 é é", "Å Å ﬁ ſ K", "ﷺ", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "👍🏽👍🏿", "🏳️‍🌈🏴‍☠️", "🇩🇪🇫🇷🇯🇵", "❤️‍🔥", "😀😀😀", "a😀b", "日本語テキスト", "中文 文本。混合 text", "한국어 텍스트",
    "Привет, мир! Ёж", "Γειά σου Κόσμε", "مرحبا بالعالم ٣٤٥٦", "नमस्ते दुनिया १२३४", "สวัสดีชาวโลก", "ภาษาไทย ไม่มีช่องว่าง",
    "ıİßẞ", "ǅ ʰ ª º", "Ⅷ ½ ² ① ٣ 〇", "1234567", "12 345 6789", "3.14159e-10", "$1,234.56", "100%", "v1.2.3-rc4",
    "it's it'S IT'S 'tis don't we'll WE'LL I'm you're they've he'd", "'ſ 'sſ x'ſy", "''s '' 's's", "rock'n'roll", "it’s",
    "'re", "'r", "'", "' s", "'l", "'LL", "'lL'Ve", "foo_bar fooBar FOO-BAR", "a.b.c...d", "!!!???", "-->", "<-- comment -->",
    "    indented\n\t\ttabs\n  end  ", "x = [i for i in range(10)]\n\n\nprint(x)\n", "if (a<b) {\r\n  c();\r\n}\r\n",
    "line\n\n   \n next", "  \n\n  \n", "\n \n", "\n  x", " \t \n\t x", "trailing   ", "a" * 70, "ab" * 50, " " * 33, "▁", "▁▁a", "a▁b ▁ c",
    "a ▁b", "<s>", "</s>", "<unk>", "<0x0A>", "x<s>y</s>z", "<s> <s>", "<|end|>", "a <|end|> b", "a  <|end|>  b<|end|>",
    "a <mask> b", "a<mask>b", "  <mask>  x", "\n<mask>\n", "word", "a word b", "awordb", "sword words word", "word_word-word", "wordé éword", "Yesterday", "  Yesterday  ",
    "<user>hi", "a<user>b <user>", "  <user>", "<user><user>", "<|im_start|>user\nHi<|im_end|>\n", "\ud7ff\ue000\ufffd\uffff",
    "\U00010000\U0010ffff", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "ꜳꭰ𐐷", "a\u0327\u0301b", "क्षि क्‍ष", "\u1680x\u180ey\u205fz", "ff ffi st", "Ǆ", "\U000323b0 \U00031350 \U0001e4d0 \U00016d40",
    "The quick brown fox jumps over the lazy dog. " * 3, "Der Hund läuft.\nLe garçon.\n我们去公园。",
]  # fmt: skip


def corpus(seed=0, lines=3000):
    """Sentences cut up and put together anew, so that pieces repeat as in real text."""
    rng = random.Random(seed)
    out = list(SENTENCES)
    for _ in range(lines):
        words = rng.choice(SENTENCES).split(" ")
        start = rng.randrange(len(words))
        out.append(" ".join(words[start : start + rng.randrange(1, 12)]))
        if rng.random() < 0.05:
            out.append("    " * rng.randrange(1, 3) + rng.choice(SENTENCES))
    return out


# MARK: Kinds


def bytes_first(size, lines, alphabet, unknown=("<unk>", "<s>", "</s>"), fallback=True):
    """A BPE over ▁-words with byte tokens behind the special ones, as Llama-2's file has them."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=size, special_tokens=["<unk>"], limit_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(trained.to_str())["model"]
    pieces = list(unknown) + ([f"<0x{b:02X}>" for b in range(256)] if fallback else [])
    pieces += [p for p, _ in sorted(model["vocab"].items(), key=lambda x: x[1]) if p != "<unk>"]
    return {p: i for i, p in enumerate(pieces)}, [tuple(m) for m in model["merges"]]


def special(*contents, **options):
    return [AddedToken(c, special=True, normalized=False, **options) for c in contents]


def begin(tokenizer, token="<s>"):
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token} $B", special_tokens=[(token, tokenizer.token_to_id(token))]
    )


def space_decoder():
    return decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )


def llama2(size, lines):
    vocab, merges = bytes_first(size, lines, 90)
    t = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.add_special_tokens(special("<unk>", "<s>", "</s>"))
    t.decoder = space_decoder()
    t.post_processor = begin(t)
    return t


def llama2_first(size, lines):
    """The newer form of Llama-2's file, with added tokens of every sort."""
    vocab, merges = bytes_first(size, lines, 70)
    t = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    t.add_special_tokens(special("<unk>", "<s>", "</s>"))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True, special=True, normalized=False)])
    t.add_tokens([AddedToken("word", single_word=True, normalized=False), AddedToken("<user>", rstrip=True)])
    t.decoder = space_decoder()
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return t


def llama2_normalized(size, lines):
    """Normalized added tokens under a normalizer that changes them; byte fallback without unknown fusing."""
    vocab, merges = bytes_first(size, lines, 60)
    for b in range(0x80, 0x90):
        vocab[f"<0X{b}>"] = vocab.pop(f"<0x{b:02X}>")
    t = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=False, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.add_special_tokens(special("<unk>", "<s>", "</s>"))
    t.add_tokens([AddedToken("Yesterday"), AddedToken("a word", normalized=True), AddedToken("word", single_word=True)])
    t.add_special_tokens([AddedToken("<|end|>", special=True, normalized=True, lstrip=True)])
    t.decoder = space_decoder()
    t.post_processor = begin(t)
    return t


def metaspace(size, lines):
    vocab, merges = bytes_first(size, lines, 80, unknown=("<unk>",), fallback=False)
    t = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    t.decoder = decoders.Metaspace(prepend_scheme="always", split=True)
    t.add_special_tokens(special("<unk>"))
    t.add_tokens([AddedToken("<|end|>", lstrip=True), AddedToken("<user>", normalized=False)])
    return t


def metaspace_never(size, lines):
    vocab, merges = bytes_first(size, lines, 80, unknown=("<unk>",), fallback=False)
    t = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    t.decoder = decoders.Metaspace(prepend_scheme="never", split=False)
    t.add_special_tokens(special("<unk>"))
    return t


def byte_level(size, lines, regex=None, prefix=False, **options):
    trained = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex is None)
    trained.pre_tokenizer = (
        level if regex is None else pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), "isolated"), level])
    )
    trained.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        ),
    )
    model = json.loads(trained.to_str())["model"]
    t = Tokenizer(models.BPE(model["vocab"], [tuple(m) for m in model["merges"]], **options))
    t.pre_tokenizer = trained.pre_tokenizer
    t.decoder = decoders.ByteLevel()
    return t


def llama3(size, lines):
    t = byte_level(size, lines, cl100k(r"\p{N}{1,3}"), ignore_merges=True)
    # Words that are pieces without merges that lead there: ignore_merges makes the difference.
    file = json.loads(t.to_str())
    for word in ["Ġdoctor", "patient", "Ġ123"]:
        file["model"]["vocab"].setdefault(word, len(file["model"]["vocab"]))
    t = Tokenizer.from_str(json.dumps(file))
    t.add_special_tokens(special("<|begin|>", "<|end|>", "<|im_start|>", "<|im_end|>"))
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), begin(t, "<|begin|>")])
    return t


def qwen2(size, lines):
    t = byte_level(size, lines, cl100k(r"\p{N}"))
    t.normalizer = normalizers.NFC()
    t.add_special_tokens(special("<|im_start|>", "<|im_end|>"))
    t.add_tokens([AddedToken("<user>", normalized=False), AddedToken("Å")])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def gpt2(size, lines):
    t = byte_level(size, lines)
    t.add_special_tokens(special("<|end|>"))
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def gpt2_prefix(size, lines):
    """A space in front, a vocabulary without some bytes, an unknown token, stripping and single-word tokens."""
    t = byte_level(size, lines, prefix=True)
    file = json.loads(t.to_str())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    missing = {c for c in alphabet if c in "¡¢£¤¥¦§ńŃłŁŀĿ~@"}
    model = file["model"]
    vocab = [p for p, _ in sorted(model["vocab"].items(), key=lambda x: x[1]) if not missing & set(p)]
    model["vocab"] = {p: i for i, p in enumerate(["<unk>"] + vocab)}
    model["merges"] = [m for m in model["merges"] if not missing & set("".join(m))]
    model["unk_token"] = "<unk>"
    t = Tokenizer.from_str(json.dumps(file))
    t.add_special_tokens(special("<unk>"))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True, normalized=False)])
    t.add_tokens([AddedToken("word", single_word=True, lstrip=True, rstrip=True), AddedToken("é")])
    return t


def gpt2_digits(size, lines):
    t = byte_level(size, lines)
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    t.add_special_tokens(special("<|end|>"))
    return t


KINDS = {
    "llama2": llama2,
    "llama2-first": llama2_first,
    "llama2-normalized": llama2_normalized,
    "metaspace": metaspace,
    "metaspace-never": metaspace_never,
    "llama3": llama3,
    "qwen2": qwen2,
    "gpt2": gpt2,
    "gpt2-prefix": gpt2_prefix,
    "gpt2-digits": gpt2_digits,
}

SENTENCEPIECE = {
    # As Llama-2's tokenizer.model.
    "sentencepiece": dict(
        byte_fallback=True, remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True,
        character_coverage=0.995,
    ),
    # Defaults of the library without byte fallback, with symbols of the user's.
    "sentencepiece-symbols": dict(
        remove_extra_whitespaces=True, user_defined_symbols=["<user>", "▁word▁", "ab", "abc", "<|end|>"],
        character_coverage=0.985, unk_surface="<?>",
    ),
    "sentencepiece-suffix": dict(
        byte_fallback=True, treat_whitespace_as_suffix=True, remove_extra_whitespaces=True, character_coverage=0.99,
    ),
    "sentencepiece-bare": dict(
        add_dummy_prefix=False, remove_extra_whitespaces=False, split_by_whitespace=False, character_coverage=0.98,
    ),
}  # fmt: skip


def train_sentencepiece(kind, size, lines, path):
    options = dict(SENTENCEPIECE[kind])
    options.setdefault("byte_fallback", False)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", normalization_rule_name="identity",
        num_threads=1, minloglevel=2, vocab_size=size + (256 if options["byte_fallback"] else 0), **options,
    )  # fmt: skip
    Path(path).write_bytes(model.getvalue())


class Reference:
    """Either library behind one face."""

    def __init__(self, path, literal=False):
        self.is_model = str(path).endswith(".model")
        if self.is_model:
            self.processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
            self.size = self.processor.get_piece_size()
        else:
            self.tokenizer = Tokenizer.from_file(str(path))
            self.tokenizer.encode_special_tokens = literal
            self.size = self.tokenizer.get_vocab_size()

    def encode(self, text, special=True):
        if self.is_model:
            return self.processor.encode(text, add_bos=special)
        return self.tokenizer.encode(text, add_special_tokens=special).ids

    def decode(self, ids, skip=True):
        if self.is_model:
            return self.processor.decode(ids)
        return self.tokenizer.decode(ids, skip_special_tokens=skip)


# MARK: Chat

LLAMA2_CHAT = (
    "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}"
    "{% else %}{% set rest = messages %}{% set system = false %}{% endif %}"
    "{% for message in rest %}"
    "{% if loop.index0 == 0 and system != false %}"
    "{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

CONVERSATIONS = [
    [("user", "Hi")],
    [("user", "Hi"), ("assistant", "Hello!")],
    [("system", "Be brief."), ("user", "What is BPE?"), ("assistant", "Merging pairs.")],
    [("system", " Be brief.\n"), ("user", "  What?\n"), ("assistant", "\n This. "), ("user", "And?"), ("assistant", "That.")],
    [("user", "你好 😀"), ("assistant", "é")],
]  # fmt: skip


def chat():
    import jinja2

    cases = []
    for name, source in [("llama-2", LLAMA2_CHAT), ("chatml", CHATML)]:
        template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(source)
        for conversation in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in conversation]
            for prompt in [False, True]:
                if prompt and conversation[-1][0] == "assistant":
                    continue
                text = template.render(
                    messages=messages, bos_token="<s>", eos_token="</s>", add_generation_prompt=prompt
                )
                cases.append({"template": name, "messages": messages, "prompt": prompt, "text": text})
    return {"templates": {"llama-2": LLAMA2_CHAT, "chatml": CHATML}, "cases": cases}


# MARK: Files


def cases(path, seed):
    reference = Reference(path)
    rng = random.Random(seed)
    decoded = []
    for n in range(25):
        ids = [rng.randrange(reference.size) for _ in range(1 + n % 12)]
        decoded.append([ids, reference.decode(ids), reference.decode(ids, skip=False)])
    return {
        "encoded": [reference.encode(text) for text in TEXTS],
        "decoded": decoded,
    }


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    TARGET.mkdir(exist_ok=True)
    (TARGET / "corpus.txt").write_text("\n".join(corpus(5, lines=60)))
    lines = corpus()
    for name, make in KINDS.items():
        write(TARGET / f"{name}.json", json.loads(make(420, lines).to_str()))
        write(TARGET / f"{name}.cases.json", cases(TARGET / f"{name}.json", name))
    for name in SENTENCEPIECE:
        train_sentencepiece(name, 420, lines, TARGET / f"{name}.model")
        write(TARGET / f"{name}.cases.json", cases(TARGET / f"{name}.model", name))
    for name in ["stories260K", "learned"]:
        write(TARGET / f"{name}.cases.json", cases(TARGET / f"{name}.json", name))
    write(TARGET / "texts.json", TEXTS)
    write(TARGET / "chat.json", chat())
    files = sorted(p for p in TARGET.iterdir() if p.name != "manifest.json")
    manifest = {
        "made_by": "make_tokenizers.py",
        "versions": {
            "python": sys.version.split()[0],
            "tokenizers": tokenizers.__version__,
            "sentencepiece": sentencepiece.__version__,
        },
        "sha256": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
    }
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(sum(p.stat().st_size for p in TARGET.iterdir()), "bytes in", len(files) + 1, "files")


if __name__ == "__main__":
    main()
