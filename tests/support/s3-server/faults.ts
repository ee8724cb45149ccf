/** An error as S3 answers it. */
export class S3Fault extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
  ) {
    super(code)
  }
}

/** What a test orders to go wrong. */
export interface FaultOrder {
  /** `UploadPart`, `PutObject`, … */
  operation: string
  /** So many are done well before. */
  skip?: number
  /** So many go wrong; then all is well again. */
  times?: number
  /** `refuse`: an error answer; `hang`: none; `lose`: done, but answered with an error. */
  how: 'refuse' | 'hang' | 'lose'
  status?: number
  code?: string
}

const orders: Required<FaultOrder>[] = []

export function order(fault: FaultOrder): void {
  orders.push({ skip: 0, times: 1, status: 500, code: 'InternalError', ...fault })
}

export function forget(): void {
  orders.length = 0
}

export function takeFault(operation: string): Required<FaultOrder> | undefined {
  const found = orders.find((fault) => fault.operation === operation && fault.times > 0)
  if (!found || found.skip-- > 0) return undefined
  found.times--
  return found
}
