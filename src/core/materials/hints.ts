import { defineHint } from '../../bus/bus.ts'

export interface MaterialChange {
  id: number
  type: 'video' | 'pdf'
  active: boolean
}

/** A material became active, or stopped being active. The ranking of every server follows it. */
export const materialsHint = defineHint<MaterialChange>('materials')
