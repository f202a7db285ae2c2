// Prompts to begin with. A few-shot table is an instruction, pairs, and the input to continue.

export const presets = {
  free: { prompt: "", max_tokens: 64, temperature: 0.8, stop: "" },
  summarise: {
    prompt: "The library opened a new reading room on Monday. It holds forty desks and stays open until midnight. Readers book a desk on the web page.\n\nIn one sentence:",
    max_tokens: 48, temperature: 0.3, stop: "\n",
  },
  translate: { prompt: "English: The room is quiet.\n中文：房间很安静。\nEnglish: The book is new.\n中文：", max_tokens: 32, temperature: 0.2, stop: "\n" },
  classify: {
    prompt: "Title: Team wins the cup\nSection: sports\n\nTitle: A faster way to train networks\nSection: science\n\nTitle: Parliament votes on the budget\nSection:",
    max_tokens: 4, temperature: 0, stop: "\n",
  },
  qa: { prompt: "Q: How many days has a week?\nA: Seven.\n\nQ: Which month follows June?\nA:", max_tokens: 16, temperature: 0, stop: "\n" },
  few: { prompt: "", max_tokens: 32, temperature: 0.2, stop: "\n" },
};

/** An instruction, [input, output] pairs and a last input as one prompt. */
export function fewShotPrompt(instruction, pairs, input) {
  const shown = pairs.filter(([left, right]) => left || right).map(([left, right]) => `Input: ${left}\nOutput: ${right}`);
  return [instruction, ...shown, `Input: ${input}\nOutput:`].filter(Boolean).join("\n\n");
}
