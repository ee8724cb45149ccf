import type { Signal } from '@preact/signals'
import type { AllHTMLAttributes, ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface Common {
  label: ComponentChildren
  hint?: ComponentChildren
  /** What the server says is wrong with the value. */
  error?: string | undefined
}

/** Attributes that tie a control to its label, hint and error. */
interface Control {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean
}

/** A label over a control, with its hint and its error. */
export function Field({
  label,
  hint,
  error,
  children,
}: Common & { children: (control: Control) => ComponentChildren }) {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': Boolean(error) })}
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && (
        <span class="error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
    </div>
  )
}

/** Preact's types want one literal type of input at a time, so the attributes are spread as an object. */
type InputAttributes = Omit<AllHTMLAttributes<HTMLInputElement>, 'label' | 'icon'>

export const TextField = ({ label, hint, error, ...input }: Common & InputAttributes) => (
  <Field label={label} hint={hint} error={error}>
    {(control) => <input {...(input as object)} {...control} />}
  </Field>
)

export const NumberField = ({
  defaultValue,
  ...rest
}: Common & Omit<InputAttributes, 'defaultValue'> & { defaultValue?: number | null | undefined }) => (
  <TextField {...rest} type="number" defaultValue={defaultValue?.toString()} />
)

/** @param isNew a password that the user chooses, which the browser offers to make up and to keep */
export const PasswordField = ({ isNew = false, ...rest }: Common & InputAttributes & { isNew?: boolean }) => (
  <TextField {...rest} type="password" autoComplete={isNew ? 'new-password' : 'current-password'} required />
)

/** Without a visible label: what the user types chooses among what stands below. */
export const FilterInput = ({ label, value }: { label: string; value: Signal<string> }) => (
  <input
    class="input"
    type="search"
    aria-label={label}
    placeholder={label}
    value={value.value}
    onInput={({ currentTarget }) => {
      value.value = currentTarget.value
    }}
    onKeyDown={(event) => {
      // It would send the form around it.
      if (event.key === 'Enter') event.preventDefault()
    }}
  />
)

export const TextArea = ({
  label,
  hint,
  error,
  ...rest
}: Common & Omit<AllHTMLAttributes<HTMLTextAreaElement>, 'label'>) => (
  <Field label={label} hint={hint} error={error}>
    {(control) => <textarea {...(rest as object)} {...control} />}
  </Field>
)

/** @param defaultValue what is chosen at first; later the choice is the user's. With `value` it is the page's. */
export const Select = ({
  label,
  hint,
  error,
  options,
  defaultValue,
  ...rest
}: Common &
  Omit<AllHTMLAttributes<HTMLSelectElement>, 'label'> & {
    options: readonly (readonly [value: string, text: string])[]
  }) => (
  <Field label={label} hint={hint} error={error}>
    {(control) => (
      <select {...(rest as object)} {...control}>
        {options.map(([value, text]) => (
          <option key={value} value={value} selected={value === (rest.value ?? defaultValue)}>
            {text}
          </option>
        ))}
      </select>
    )}
  </Field>
)

export const Checkbox = ({ label, ...input }: { label: ComponentChildren } & InputAttributes) => (
  <label class="check">
    <input type="checkbox" {...(input as object)} />
    <span>{label}</span>
  </label>
)
