import { defineContract } from '../../http/contract.ts'
import { factory } from '../factory/contract.ts'

/** The study contract. Its errors are those of factory, with which it shares its base URL: docs/contracts/study.md, "Errors". */
export const study = defineContract({ ...factory, name: 'study' })
