import Kernels
import LanguageModeling
import Testing
import Transformer

/// Reading and writing config.json.
@Suite struct ConfigurationTests {
    private func read(_ text: String) throws(LanguageModelError) -> LanguageModelConfiguration {
        try LanguageModelConfiguration(json: Array(text.utf8), source: "config.json")
    }

    private static let sizes = """
        "vocab_size": 100, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4
        """

    @Test func whatIsAbsentIsLlamasDefault() throws {
        let found = try read("{}")
        #expect(
            found.llama
                == LlamaConfiguration(
                    vocabularySize: 32000, hiddenSize: 4096, intermediateSize: 11008,
                    layerCount: 32, headCount: 32, positionCount: 2048))
        #expect(found.llama.parameterCount == 6_738_415_616)
        #expect(found.beginningID == 1 && found.endIDs == [2])
        #expect(found.storedType == nil && found.initializerRange == 0.02)
    }

    @Test func olderAndNewerSpellingAreOne() throws {
        let scaling = """
            "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192
            """
        let older = try read(
            """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", \(Self.sizes),
             "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 131072,
             "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "torch_dtype": "bfloat16",
             "rope_scaling": {"type": "llama3", \(scaling)}, "tie_word_embeddings": true,
             "attention_bias": true, "mlp_bias": true, "bos_token_id": 7, "eos_token_id": [8, 9],
             "hidden_act": "silu", "pretraining_tp": 1, "initializer_range": 0.1}
            """)
        #expect(
            older.llama
                == LlamaConfiguration(
                    vocabularySize: 100, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
                    headCount: 4, keyValueHeadCount: 2, headSize: 16, positionCount: 131072,
                    rmsNormEpsilon: 1e-5,
                    rotary: RotaryEmbedding(
                        theta: 500_000,
                        scaling: .llama3(
                            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4,
                            originalPositions: 8192)),
                    tiesEmbeddings: true, attentionBias: true, feedForwardBias: true))
        #expect(older.beginningID == 7 && older.endIDs == [8, 9])
        #expect(older.storedType == .bfloat16 && older.initializerRange == 0.1)
        let newer = try read(
            """
            {\(Self.sizes), "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 131072,
             "rms_norm_eps": 1e-05, "dtype": "bfloat16", "tie_word_embeddings": true, "attention_bias": true,
             "mlp_bias": true,
             "rope_parameters": {"rope_theta": 500000, "rope_type": "llama3", \(scaling)}}
            """)
        #expect(newer.llama == older.llama && newer.storedType == .bfloat16)
        // Both together, in agreement.
        let both = try read(
            """
            {"rope_theta": 1e6, "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"},
             "rope_scaling": null, "eos_token_id": null, "bos_token_id": null}
            """)
        #expect(both.llama.rotary == RotaryEmbedding(theta: 1_000_000))
        #expect(both.beginningID == nil && both.endIDs == [])
    }

    /// The tensors decide, so a type that they cannot be written as is no reason to refuse them.
    @Test func whatTheTypeIsSaidToBeIsKept() throws {
        for (text, stated, stored) in [
            ("\"torch_dtype\": \"float64\"", "float64", nil),
            ("\"torch_dtype\": \"torch.float16\", \"dtype\": \"float16\"", "float16", .float16),
            ("\"dtype\": \"float8_e4m3fn\", \"partial_rotary_factor\": 1.0", "float8_e4m3fn", nil),
        ] as [(String, String, StoredElement?)] {
            let found = try read("{\(text)}")
            #expect(found.statedType == stated && found.storedType == stored)
        }
        #expect(try read("{}").statedType == nil)
    }

    @Test func isWrittenAsItWasRead() throws {
        let text = """
            {
              "architectures": [
                "LlamaForCausalLM"
              ],
              "bos_token_id": 1,
              "eos_token_id": [
                2,
                5
              ],
              "extra": {
                "a \\"quoted\\" key\\n": [],
                "numbers": [
                  1e-05,
                  1.0,
                  -0
                ]
              },
              "model_type": "llama",
              "rope_theta": 10000.0,
              "torch_dtype": "bfloat16",
              "vocab_size": 100,
              "dtype": "bfloat16"
            }

            """
        #expect(try read(text).text(storedAs: .bfloat16) == text)
        let other = try read(text).text(storedAs: .float16)
        #expect(other == text.replacing("bfloat16", with: "float16"))
    }

    @Test func theOlderSpellingIsAddedToTheNewer() throws {
        let found = try read(
            """
            {"dtype": "float32", "rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", "factor": 8.0,
             "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}
            """)
        let text = found.text(storedAs: .float32)
        let again = try read(text)
        #expect(again.llama == found.llama)
        #expect(text.contains("\"rope_theta\": 500000.0") && text.contains("\"rope_scaling\": {"))
        #expect(text.contains("\"torch_dtype\": \"float32\""))
        #expect(text.contains("\"model_type\": \"llama\""))
        #expect(again.text(storedAs: .float32) == text)
    }

    @Test(arguments: [
        ("\"model_type\": \"mistral\"", "model_type is 'mistral', and only Llama is supported"),
        ("\"model_type\": \"gpt2\"", "'gpt2'"),
        ("\"architectures\": [\"Qwen2ForCausalLM\"]", "architectures has 'Qwen2ForCausalLM'"),
        (
            "\"architectures\": \"LlamaForCausalLM\"",
            "architectures is 'LlamaForCausalLM', where a list"
        ),
        ("\"hidden_act\": \"gelu\"", "hidden_act is 'gelu', where 'silu' is expected"),
        (
            "\"quantization_config\": {\"quant_method\": \"gptq\"}",
            "quantization_config (gptq) is not supported"
        ),
        (
            "\"dtype\": \"bfloat16\", \"torch_dtype\": \"torch.float32\"",
            "dtype is 'bfloat16' and torch_dtype is 'float32'; keep one of them"
        ),
        ("\"dtype\": 16", "dtype is 16, where a string"),
        (
            "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}",
            "rope_scaling.type is 'linear', which is not"
        ),
        ("\"rope_scaling\": {\"rope_type\": \"dynamic\"}", "rope_scaling.rope_type is 'dynamic'"),
        ("\"rope_parameters\": {\"rope_type\": \"yarn\"}", "rope_parameters.rope_type is 'yarn'"),
        (
            "\"rope_parameters\": {\"rope_type\": \"default\", \"partial_rotary_factor\": 0.5}",
            "rope_parameters.partial_rotary_factor is 0.5, where 1 "
        ),
        ("\"partial_rotary_factor\": 0.25", "partial_rotary_factor is 0.25, where 1 (heads"),
        (
            """
            "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
             "original_max_position_embeddings": 8192, "partial_rotary_factor": 0.5}
            """, "rope_scaling.partial_rotary_factor is 0.5, where 1 "
        ),
        (
            "\"rope_scaling\": {\"type\": \"llama3\", \"low_freq_factor\": 1}",
            "rope_scaling lacks 'factor'"
        ),
        (
            "\"rope_theta\": 10000, \"rope_parameters\": {\"rope_theta\": 500000}",
            "rope_parameters.rope_theta is 500000.0 and rope_theta is 10000.0; keep one"
        ),
        ("\"rope_theta\": 0", "rope_theta is 0, where a number from 1"),
        (
            "\"vocab_size\": 0",
            "vocab_size is 0, where a whole number from 1 to 2147483647 is expected"
        ),
        ("\"vocab_size\": -5", "vocab_size is -5"), ("\"vocab_size\": 1.5", "vocab_size is 1.5"),
        ("\"vocab_size\": \"many\"", "vocab_size is 'many'"),
        ("\"hidden_size\": 99999999999999999999", "hidden_size is 99999999999999999999, where"),
        ("\"num_hidden_layers\": true", "num_hidden_layers is true"),
        (
            "\"num_attention_heads\": 3",
            "hidden_size (4096) is no multiple of num_attention_heads (3)"
        ),
        (
            "\"num_key_value_heads\": 5",
            "num_attention_heads (32) is no multiple of num_key_value_heads (5)"
        ),
        ("\"head_dim\": 65", "head_dim is 65, where an even number"),
        ("\"hidden_size\": 96", "hidden_size / num_attention_heads is 3, where an even number"),
        ("\"head_dim\": 1000000", "is above 1048576"),
        ("\"rms_norm_eps\": 0", "rms_norm_eps is 0, where a number above 0"),
        ("\"rms_norm_eps\": 1e-60", "rms_norm_eps is 1e-60"),
        ("\"tie_word_embeddings\": \"no\"", "tie_word_embeddings is 'no', where true or false"),
        ("\"eos_token_id\": 32000", "eos_token_id is 32000, where a token from 0 to 31999"),
        ("\"eos_token_id\": [1, -2]", "eos_token_id[1] is -2"),
        (
            "\"bos_token_id\": -1",
            "bos_token_id is -1, where a token from 0 to 31999 (vocab_size − 1) or null is expected"
        ),
        ("\"bos_token_id\": 0.5", "bos_token_id is 0.5"),
        ("\"initializer_range\": -1", "initializer_range is -1"),
        ("\"hidden_size\": 64, \"hidden_size\": 32", "the file has the key 'hidden_size' twice"),
        ("\"a\\u000a\": 1, \"a\\n\": 2", "the key 'a\\n' twice"),
        ("\"hidden_size\" 64", "it is not valid JSON at its byte 15"),
    ]) func whatCannotBeReadIsNamed(_ members: String, _ sentence: String) {
        let error = #expect(throws: LanguageModelError.self) { try read("{\(members)}") }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("config.json: ") && text.hasSuffix("."), "\(text)")
        #expect(text.contains(sentence) && !text.contains("\n"), "\(text)")
    }

    @Test func aFileThatIsNoObjectIsRefused() {
        for text in ["", "[]", "3", "{\"a\": 1} x"] {
            #expect(throws: LanguageModelError.self) { try read(text) }
        }
        #expect(throws: LanguageModelError.self) {
            try LanguageModelConfiguration(json: [0x7B, 0xFF], source: "config.json")
        }
    }
}
