import type { EnvReader } from './env.ts'

export interface ModelConfig {
  /** Undefined: the built-in agent answers, without a model. */
  llm: LlmConfig | undefined
}

/** An OpenAI-compatible API. */
export interface LlmConfig {
  /** Up to and with its version, as in `https://api.openai.com/v1`; no trailing slash. */
  baseUrl: string
  apiKey: string | undefined
  model: string
}

const OPENAI = 'https://api.openai.com/v1'

export const readModel = (env: EnvReader): ModelConfig => ({ llm: readLlm(env) })

function readLlm(env: EnvReader): LlmConfig | undefined {
  if (!['LLM_BASE_URL', 'LLM_API_KEY', 'LLM_MODEL'].some((name) => env.text(name))) return undefined
  return {
    model: env.required('LLM_MODEL', 'when any LLM_ variable is set'),
    baseUrl: env.webUrl('LLM_BASE_URL') ?? OPENAI,
    apiKey: env.text('LLM_API_KEY'),
  }
}
