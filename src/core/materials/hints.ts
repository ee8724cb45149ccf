import { defineHint } from '../../bus/bus.ts'

export interface MaterialChange {
  id: number
  type: 'video' | 'pdf'
  active: boolean
}

/** A material became active, or stopped being active. */
export const materialsHint = defineHint<MaterialChange>('materials')
