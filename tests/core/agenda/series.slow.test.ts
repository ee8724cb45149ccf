import { test } from 'bun:test'
import { Random } from '../../support/random.ts'
import { compareWithLibrary } from './random-series.ts'

const random = Random.announced('agenda series')

test(
  '300 random rules name the days that another implementation finds',
  () => compareWithLibrary(random, 300),
  120_000,
)
